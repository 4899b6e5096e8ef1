// Which values are the largest: for routing, and for the choice of neurons.
#include "sparse_kernels.h"

#include "clones.h"
#include "sparse_keys.h"

// Passes without branches over a few dozen integers: the compiler makes vectors of each.
KRAIT_CLONES void krait_two_largest(const float *restrict values, ptrdiff_t n,
                                    int32_t *restrict keys, int32_t *restrict best,
                                    int32_t *restrict second) {
  const int32_t count = (int32_t)n;
  int32_t largest = INT32_MIN;
  for (int32_t i = 0; i < count; i++) {
    const int32_t key = krait_key(values[i]);
    keys[i] = key;
    largest = key > largest ? key : largest;
  }
  int32_t first = count - 1;
  for (int32_t i = 0; i < count; i++) {
    const int32_t candidate = keys[i] == largest ? i : count - 1;
    first = candidate < first ? candidate : first;
  }
  int32_t runner_up = INT32_MIN;
  for (int32_t i = 0; i < count; i++) {
    const int32_t key = i == first ? INT32_MIN : keys[i];
    runner_up = key > runner_up ? key : runner_up;
  }
  int32_t next = count;
  for (int32_t i = 0; i < count; i++) {
    const int32_t candidate = i != first && keys[i] == runner_up ? i : count;
    next = candidate < next ? candidate : next;
  }
  *best = first;
  *second = next < count ? next : 0;  // None is left when count is 1.
}

enum { FEW = 64, DIGITS = 2048 };

KRAIT_CLONES static void ordered_keys(const float *restrict values, ptrdiff_t n,
                                      uint32_t *restrict keys) {
  for (ptrdiff_t i = 0; i < n; i++) keys[i] = (uint32_t)krait_key(values[i]) ^ 0x80000000u;
}

// A value stays when fewer than `keep` are ahead of it. The index is part of the key, so that no
// two are equal.
KRAIT_CLONES static void select_from_few(const float *restrict values, ptrdiff_t n,
                                         ptrdiff_t keep, ptrdiff_t first_index,
                                         uint16_t *restrict output) {
  int64_t keys[FEW];
  for (ptrdiff_t i = 0; i < n; i++) {
    keys[i] = (int64_t)krait_key(values[i]) * ((int64_t)1 << 32) + (n - 1 - i);
  }
  ptrdiff_t written = 0;
  for (ptrdiff_t i = 0; written < keep; i++) {
    const int64_t key = keys[i];
    int64_t ahead = 0;
    for (ptrdiff_t j = 0; j < n; j++) ahead += keys[j] > key;
    output[written] = (uint16_t)(first_index + i);
    written += ahead < keep;
  }
}

// The digit that holds the *remaining-th largest key, counting those of larger digits off.
static uint32_t find_digit(const uint32_t *keys, ptrdiff_t n, int shift, uint32_t digits,
                           ptrdiff_t *remaining) {
  // Two histograms in turn: equal neighbours do not wait for each other.
  uint32_t counts[2][DIGITS];
  memset(counts, 0, sizeof counts);
  ptrdiff_t i = 0;
  for (; i + 2 <= n; i += 2) {
    counts[0][(keys[i] >> shift) & (digits - 1)]++;
    counts[1][(keys[i + 1] >> shift) & (digits - 1)]++;
  }
  if (i < n) counts[0][(keys[i] >> shift) & (digits - 1)]++;
  uint32_t digit = digits - 1;
  for (;; digit--) {
    const ptrdiff_t count = counts[0][digit] + counts[1][digit];
    if (count >= *remaining) return digit;
    *remaining -= count;
  }
}

static ptrdiff_t keys_with_digit(const uint32_t *keys, ptrdiff_t n, int shift, uint32_t digits,
                                 uint32_t digit, uint32_t *output) {
  ptrdiff_t written = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    output[written] = keys[i];  // At most output[i]: never past what was read.
    written += ((keys[i] >> shift) & (digits - 1)) == digit;
  }
  return written;
}

void krait_select_largest(const float *values, ptrdiff_t n, ptrdiff_t keep, ptrdiff_t first_index,
                          uint32_t *scratch, uint16_t *output) {
  if (keep <= 0) return;
  if (keep == n) {
    for (ptrdiff_t i = 0; i < n; i++) output[i] = (uint16_t)(first_index + i);
    return;
  }
  if (n <= FEW) {
    select_from_few(values, n, keep, first_index, output);
    return;
  }
  // Radix selection, 11, 11 and 10 bits: the keep-th largest key, and how many equal to it stay.
  uint32_t *keys = scratch, *candidates = scratch + n;
  ordered_keys(values, n, keys);
  ptrdiff_t ties = keep;
  const uint32_t high = find_digit(keys, n, 21, 2048, &ties);
  ptrdiff_t count = keys_with_digit(keys, n, 21, 2048, high, candidates);
  const uint32_t middle = find_digit(candidates, count, 10, 2048, &ties);
  count = keys_with_digit(candidates, count, 10, 2048, middle, candidates);
  const uint32_t low = find_digit(candidates, count, 0, 1024, &ties);
  const uint32_t threshold = high << 21 | middle << 10 | low;

  ptrdiff_t written = 0;
  for (ptrdiff_t i = 0; written < keep; i++) {
    const int tied = keys[i] == threshold && ties > 0;
    output[written] = (uint16_t)(first_index + i);
    written += keys[i] > threshold || tied;
    ties -= tied;
  }
}
