// KRAIT_CLONES before a function: compiled for AVX-512, for AVX2 with FMA and for the baseline;
// the loader picks the best one. The levels x86-64-v4 and -v3 are tests of features; the name of a
// processor ("skylake-avx512") would match that one model alone, and newer ones got the baseline.
#ifndef KRAIT_CLONES_H
#define KRAIT_CLONES_H

#if defined(__x86_64__) && defined(__linux__)
#define KRAIT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KRAIT_CLONES
#endif

#endif
