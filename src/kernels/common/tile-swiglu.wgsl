// The output is silu(gate) * up in f16, as the next matrix product reads it. The first half of a tile's outputs are gates,
// the second their ups.
//
// output  [rows, OUT / 2]  f16, in the tiles of common/half-tiles.wgsl

@group(0) @binding(4) var<storage, read_write> output: array<vec4<u32>>;

const GATES = TILE_OUTPUTS / 2u;

fn output_row(tile_index: u32, output: u32) -> u32 {
  return tile_index * GATES + output % GATES + select(0u, OUT / 2u, output >= GATES);
}

fn swiglu(row: u32, four: u32) -> vec4<f32> {
  let gate = total(row, four);
  return gate / (vec4<f32>(1.0) + exp(-gate)) * total(row, GATES / 4u + four);
}

fn write_tile(tile_index: u32, first_row: u32, lane: u32) {
  for (var i = lane; i < TILE_ROWS * (GATES / 8u); i += WORKGROUP_SIZE) {
    let row = i / (GATES / 8u);
    let octet = i % (GATES / 8u);
    let column = tile_index * (GATES / 8u) + octet;
    if (column < OUT / 16u && first_row + row < MAX_ROWS) {
      let halves = half_octet(swiglu(row, octet * 2u), swiglu(row, octet * 2u + 1u));
      output[half_tile_octet(first_row + row, column, OUT / 16u)] = halves;
    }
  }
}
