// In place of output-direct.wgsl where no tile can be stored straight to y.

const DIRECT = false;

fn first_sums(row: u32, first_output: u32, output: u32, lane: u32) -> Sums {
  return Sums();
}

fn store_sums(sums: Sums, row: u32, output: u32) {
}
