    // Step J of a span, a part of `main` in linear-halves.wgsl.
    for (var i = 0u; i < OWN_TILES; i++) {
      tile_x[x_to + i * MATRIX] = octets[i];
    }
    for (var i = 0u; i < OWN_UNITS; i++) {
      tile_w[w_to + i * MATRIX] = unit_octet(units[i], J);
    }
    workgroupBarrier();
    // Behind the last step this reads the last one again: cheaper than a branch.
    octets = load_x(first_row / 16u, min(span * 4u + J + 1u, SPANS * 4u - 1u), lane);
    if (J == 3u) {
      units = load_units(tile_index, min(span + 1u, SPANS - 1u), lane);
    }
