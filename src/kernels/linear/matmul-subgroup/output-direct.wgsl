// The sums of a tile that lies wholly inside y, straight from and to y. A part of matmul-subgroup.wgsl, for lines of y
// that are aligned, and where there is at least one whole tile.

const DIRECT = true;

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn load_sum(row: u32, output: u32) -> Result {
  return subgroupMatrixLoad<Result, row_major>(&y, row * OUT_STRIDE + OUT_OFFSET + output, OUT_STRIDE);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn load_bias(output: u32) -> Result {
  return subgroupMatrixLoad<Result, row_major>(&tile_x, output / 4u, TILE_OUTPUTS / 4u);
}

// What the sums of a subgroup begin with: the residual, or the bias, which is the same in all rows. Not both.
fn first_sums(row: u32, first_output: u32, output: u32, lane: u32) -> Sums {
  if (ACCUMULATE) {
    let column = first_output + output;
    return Sums(
      load_sum(row, column), load_sum(row, column + N),
      load_sum(row + M, column), load_sum(row + M, column + N),
      load_sum(row + 2u * M, column), load_sum(row + 2u * M, column + N),
      load_sum(row + 3u * M, column), load_sum(row + 3u * M, column + N),
    );
  }
  if (!HAS_BIAS) {
    return Sums();
  }
  // A matrix of it, made of equal lines.
  for (var i = lane; i < M * TILE_OUTPUTS / 4u; i += WORKGROUP_SIZE) {
    let pair = (OUT_OFFSET + first_output + i % (TILE_OUTPUTS / 4u) * 4u) / 2u;
    let four = vec4<f32>(unpack2x16float(bias[pair]), unpack2x16float(bias[pair + 1u]));
    tile_x[i] = bitcast<vec4<u32>>(four);
  }
  workgroupBarrier();
  let bias0 = load_bias(output);
  let bias1 = load_bias(output + N);
  workgroupBarrier();
  return Sums(bias0, bias1, bias0, bias1, bias0, bias1, bias0, bias1);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn store_sum(sum: Result, row: u32, output: u32) {
  subgroupMatrixStore<row_major>(&y, row * OUT_STRIDE + OUT_OFFSET + output, sum, OUT_STRIDE);
}

fn store_sums(sums: Sums, row: u32, output: u32) {
  store_sum(sums.m00, row, output);
  store_sum(sums.m01, row, output + N);
  store_sum(sums.m10, row + M, output);
  store_sum(sums.m11, row + M, output + N);
  store_sum(sums.m20, row + 2u * M, output);
  store_sum(sums.m21, row + 2u * M, output + N);
  store_sum(sums.m30, row + 3u * M, output);
  store_sum(sums.m31, row + 3u * M, output + N);
}
