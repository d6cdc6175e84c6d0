    // Step J of a span, a part of `main` in linear-prompt.wgsl.
    for (var i = 0u; i < OWN; i++) {
      tile_x[x_to + i * MATRIX] = octets[i];
    }
    for (var i = 0u; i < OWN; i++) {
      tile_w[w_to + i * MATRIX] = unit_octet(units[i], J);
    }
    workgroupBarrier();
    // Behind the last step this reads the last one again: cheaper than a branch.
    octets = load_x(first_row / 16u, min(span * 4u + J + 1u, SPANS * 4u - 1u), lane);
    if (J == 3u) {
      units = load_units(tile_index, min(span + 1u, SPANS - 1u), lane);
    }
    multiply(
      &sums,
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 4u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 6u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 3u * MATRIX, LINE),
    );
    multiply(
      &sums,
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u + 4u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u + 6u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u + MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u + 3u * MATRIX, LINE),
    );
    multiply(
      &sums,
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 4u, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 4u + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 4u + 4u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 4u + 6u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 4u, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 4u + MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 4u + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 4u + 3u * MATRIX, LINE),
    );
    multiply(
      &sums,
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 6u, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 6u + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 6u + 4u * MATRIX, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 6u + 6u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 6u, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 6u + MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 6u + 2u * MATRIX, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 6u + 3u * MATRIX, LINE),
    );
    workgroupBarrier();
