// The sums of a tile that lies wholly inside y, straight from and to y. A part of matmul-subgroup.wgsl, for lines of y
// that are aligned, and where there is at least one whole tile.

const DIRECT = true;

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn load_sum(row: u32, output: u32) -> Result {
  return subgroupMatrixLoad<Result, row_major>(&y, row * OUT_STRIDE + OUT_OFFSET + output, OUT_STRIDE);
}

fn load_sums(row: u32, output: u32) -> Sums {
  return Sums(
    load_sum(row, output), load_sum(row, output + N),
    load_sum(row + M, output), load_sum(row + M, output + N),
    load_sum(row + 2u * M, output), load_sum(row + 2u * M, output + N),
    load_sum(row + 3u * M, output), load_sum(row + 3u * M, output + N),
  );
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
