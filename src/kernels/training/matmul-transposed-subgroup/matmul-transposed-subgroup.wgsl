// Product with a transposed weight on subgroup matrices, the backward pass of a matrix product:
//   dx[r, i] (+)= sum_n dy[r, n] * w[n, i]
//
// The weight w [OUT, IN] is in one of the formats of common/weight-*.wgsl, read by matmul-subgroup/weight-*.wgsl (bindings
// 0 to 2), BITS bits an element.
//
// packed   [MAX_ROWS, 8 * OUT_OCTETS]  f16, eight to a word of 16 bytes: dy, of pack-rows.wgsl
// unscale  [MAX_ROWS]                  f32, the factor that packed rows lack
// dx       [MAX_ROWS, IN]              f32, added to where ACCUMULATE, else overwritten
//
// The structure is that of matmul-subgroup.wgsl, which says what shapes it: a workgroup computes a tile of TILE_ROWS x
// TILE_INPUTS, a subgroup 4 x 2 matrices of it (matmul-subgroup/sums.wgsl); both factors go through workgroup memory as f16, TILE_DEPTH rows
// of the weight at a time, and are summed in f32. Here the lines of the weight's tile run along its inputs, as they do in
// storage. The sums leave through workgroup memory, where their rows are scaled back.
//
// The buffers have MAX_ROWS rows; those of a tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: tiles of rows in x, so that neighbours share a tile of the weight; tiles of inputs in y.

@group(0) @binding(3) var<storage, read> packed: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> unscale: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;

const TILE_INPUTS = INPUT_SUBGROUPS * 2u * N;
const SUBGROUPS = ROW_SUBGROUPS * INPUT_SUBGROUPS;
const WORKGROUP_SIZE = SUBGROUPS * SUBGROUP_SIZE;
const STEPS = (OUT + TILE_DEPTH - 1u) / TILE_DEPTH;
// Lines of the tiles in words of 16 bytes; the odd one keeps the lines of a matrix in different banks.
const DY_LINE = DEPTH_OCTETS + 1u;
const W_LINE = TILE_INPUTS / 8u + 1u;
const LINE_UNITS = TILE_INPUTS / 8u / UNIT_OCTETS;
// Octets of dy and units of w that an invocation moves in a step.
const DY_OCTETS = TILE_ROWS * DEPTH_OCTETS;
const W_UNITS = TILE_DEPTH * LINE_UNITS;
const OWN_DY = (DY_OCTETS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
const OWN_W = (W_UNITS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
// A subgroup's place for two matrices of sums, side by side, in words of four f32.
const PATCH_LINE = N / 2u + 1u;
const PATCH = M * PATCH_LINE;

// What an invocation moves in a step, on its way from storage to workgroup memory.
struct Step {
  dy: array<vec4<u32>, OWN_DY>,
  w: array<WeightUnit, OWN_W>,
}

// Holds the patches in the end.
var<workgroup> tile_dy: array<vec4<u32>, max(TILE_ROWS * DY_LINE, SUBGROUPS * PATCH)>;
var<workgroup> tile_w: array<vec4<u32>, TILE_DEPTH * W_LINE>;

// The readers of quantized weights pair the elements of an octet as their words hold them: (0, 4), (1, 5), (2, 6), (3, 7)
// of 4 bits, (0, 2), (1, 3), (4, 6), (5, 7) of 8. Here their order is that of the columns of dx.
fn in_order(octet: vec4<u32>) -> vec4<u32> {
  let low = (octet.xz & vec2<u32>(0xffffu)) | (octet.yw << vec2<u32>(16u));
  let high = (octet.xz >> vec2<u32>(16u)) | (octet.yw & vec2<u32>(0xffff0000u));
  if (BITS == 4u) {
    return vec4<u32>(low, high);
  }
  if (BITS == 8u) {
    return vec4<u32>(low.x, high.x, low.y, high.y);
  }
  return octet;
}

fn load_step(next: ptr<function, Step>, first_row: u32, first_unit: u32, step: u32, lane: u32) {
  for (var i = 0u; i < OWN_DY; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let row = min(first_row + at / DEPTH_OCTETS, MAX_ROWS - 1u);
    let octet = step * DEPTH_OCTETS + at % DEPTH_OCTETS;
    // Behind the last row of the weight dy is zero, and then any finite weight will do.
    let inside = OUT % TILE_DEPTH == 0u || octet < OUT_OCTETS;
    (*next).dy[i] = select(vec4<u32>(), packed[row * OUT_OCTETS + min(octet, OUT_OCTETS - 1u)], inside);
  }
  for (var i = 0u; i < OWN_W; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let output = min(step * TILE_DEPTH + at / LINE_UNITS, OUT - 1u);
    let unit = min(first_unit + at % LINE_UNITS, IN / (8u * UNIT_OCTETS) - 1u);
    (*next).w[i] = weight_unit(output, unit);
  }
}

fn store_step(next: ptr<function, Step>, lane: u32) {
  for (var i = 0u; i < OWN_DY; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (DY_OCTETS % WORKGROUP_SIZE == 0u || at < DY_OCTETS) {
      tile_dy[at / DEPTH_OCTETS * DY_LINE + at % DEPTH_OCTETS] = (*next).dy[i];
    }
  }
  for (var i = 0u; i < OWN_W; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (W_UNITS % WORKGROUP_SIZE == 0u || at < W_UNITS) {
      let to = at / LINE_UNITS * W_LINE + at % LINE_UNITS * UNIT_OCTETS;
      let octets = unit_octets((*next).w[i]);
      for (var j = 0u; j < UNIT_OCTETS; j++) {
        tile_w[to + j] = in_order(octets[j]);
      }
    }
  }
}

// Scales back two matrices of sums, which lie side by side, and writes them to dx.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(left: Result, right: Result, first_row: u32, first_input: u32, lane: u32) {
  let own = lane / SUBGROUP_SIZE * PATCH;
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tile_dy, own, left, PATCH_LINE);
  subgroupMatrixStore<row_major>(&tile_dy, own + N / 4u, right, PATCH_LINE);
  workgroupBarrier();
  for (var i = lane % SUBGROUP_SIZE; i < M * N / 2u; i += SUBGROUP_SIZE) {
    let row = first_row + i / (N / 2u);
    let quad = first_input / 4u + i % (N / 2u);
    if (row < MAX_ROWS && quad < IN / 4u) {
      let at = row * (IN / 4u) + quad;
      var value = bitcast<vec4<f32>>(tile_dy[own + i / (N / 2u) * PATCH_LINE + i % (N / 2u)]) * unscale[row];
      if (ACCUMULATE) {
        value += dx[at];
      }
      dx[at] = value;
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_row = workgroup.x * TILE_ROWS;
  let first_input = workgroup.y * TILE_INPUTS;
  let first_unit = workgroup.y * LINE_UNITS;
  let subgroup = lane / SUBGROUP_SIZE;
  let row = subgroup % ROW_SUBGROUPS * (4u * M);
  let input = subgroup / ROW_SUBGROUPS * (2u * N);

  var sums: Sums;
  let dy_at = row * DY_LINE;
  let w_at = input / 8u;
  var next: Step;
  load_step(&next, first_row, first_unit, 0u, lane);
  for (var step = 0u; step < STEPS; step++) {
    store_step(&next, lane);
    workgroupBarrier();
    // Behind the last step this reads the last one again: cheaper than a branch.
    load_step(&next, first_row, first_unit, min(step + 1u, STEPS - 1u), lane);
    multiply(
      &sums,
      subgroupMatrixLoad<Right, row_major>(&tile_w, w_at, W_LINE),
      subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + N / 8u, W_LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at, DY_LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + M * DY_LINE, DY_LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 2u * M * DY_LINE, DY_LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 3u * M * DY_LINE, DY_LINE),
    );
    if (TILE_DEPTH > K) {
      multiply(
        &sums,
        subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + K * W_LINE, W_LINE),
        subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + K * W_LINE + N / 8u, W_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + K / 8u, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + K / 8u + M * DY_LINE, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + K / 8u + 2u * M * DY_LINE, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + K / 8u + 3u * M * DY_LINE, DY_LINE),
      );
    }
    if (TILE_DEPTH > 2u * K) {
      multiply(
        &sums,
        subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + 2u * K * W_LINE, W_LINE),
        subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + 2u * K * W_LINE + N / 8u, W_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 2u * K / 8u, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 2u * K / 8u + M * DY_LINE, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 2u * K / 8u + 2u * M * DY_LINE, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 2u * K / 8u + 3u * M * DY_LINE, DY_LINE),
      );
      multiply(
        &sums,
        subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + 3u * K * W_LINE, W_LINE),
        subgroupMatrixLoad<Right, row_major>(&tile_w, w_at + 3u * K * W_LINE + N / 8u, W_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 3u * K / 8u, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 3u * K / 8u + M * DY_LINE, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 3u * K / 8u + 2u * M * DY_LINE, DY_LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_dy, dy_at + 3u * K / 8u + 3u * M * DY_LINE, DY_LINE),
      );
    }
    workgroupBarrier();
  }

  finish(sums.m00, sums.m01, first_row + row, first_input + input, lane);
  finish(sums.m10, sums.m11, first_row + row + M, first_input + input, lane);
  finish(sums.m20, sums.m21, first_row + row + 2u * M, first_input + input, lane);
  finish(sums.m30, sums.m31, first_row + row + 3u * M, first_input + input, lane);
}
