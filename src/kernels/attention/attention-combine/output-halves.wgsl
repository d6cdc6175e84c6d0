// The result in f16.
//
// output  [rows, HEADS * HEAD_DIM]  in the tiles of common/half-tiles.wgsl

@group(0) @binding(3) var<storage, read_write> output: array<vec4<u32>>;

fn write_tile(row: u32, tile: u32, lane: u32) {
  for (var octet = lane; octet < TILE / 8u; octet += WORKGROUP_SIZE) {
    let at = half_tile_octet(row, tile * (TILE / 8u) + octet, HEADS * HEAD_DIM / 8u);
    output[at] = half_octet(attended[octet * 2u], attended[octet * 2u + 1u]);
  }
}
