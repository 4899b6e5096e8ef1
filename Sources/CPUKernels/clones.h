// KRAIT_CLONES before a function: compiled for AVX-512, for AVX2 with FMA and for the baseline;
// the loader picks the best one.
#ifndef KRAIT_CLONES_H
#define KRAIT_CLONES_H

#if defined(__x86_64__) && defined(__linux__)
#define KRAIT_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define KRAIT_CLONES
#endif

#endif
