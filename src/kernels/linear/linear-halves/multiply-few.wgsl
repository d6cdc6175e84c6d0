    // Inputs 8 K to 8 K + 15 of a step, a part of `main` in linear-halves.wgsl.
    let right0 = subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + K, LINE);
    let right1 = subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + K + MATRIX, LINE);
    let left0 = subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K, LINE);
    sums.m00 = subgroupMatrixMultiplyAccumulate(left0, right0, sums.m00);
    sums.m01 = subgroupMatrixMultiplyAccumulate(left0, right1, sums.m01);
    if (OWN_TILES > 1u) {
      let left1 = subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K + MATRIX, LINE);
      sums.m10 = subgroupMatrixMultiplyAccumulate(left1, right0, sums.m10);
      sums.m11 = subgroupMatrixMultiplyAccumulate(left1, right1, sums.m11);
    }
    if (OWN_TILES > 2u) {
      let left2 = subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K + 2u * MATRIX, LINE);
      let left3 = subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K + 3u * MATRIX, LINE);
      sums.m20 = subgroupMatrixMultiplyAccumulate(left2, right0, sums.m20);
      sums.m21 = subgroupMatrixMultiplyAccumulate(left2, right1, sums.m21);
      sums.m30 = subgroupMatrixMultiplyAccumulate(left3, right0, sums.m30);
      sums.m31 = subgroupMatrixMultiplyAccumulate(left3, right1, sums.m31);
    }
