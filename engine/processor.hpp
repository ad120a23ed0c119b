// What the processor at hand can do beyond the baseline that everything is compiled for.
#pragma once

namespace docket {

// Whether functions marked with DOCKET_WIDE_VECTORS may be called: AVX-512 with bytes in any order
// (VBMI, VBMI2), as AMD has it since Zen 4 and Intel since Ice Lake. Each has a twin for other
// processors.
#if defined(__x86_64__)
#define DOCKET_WIDE_VECTORS \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")))
[[nodiscard]] inline bool has_wide_vectors() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vbmi") &&
                          __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
  return has;
}
#endif

}  // namespace docket
