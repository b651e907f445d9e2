// Which instruction set runs, and the code that an entry point returns.

#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace {

inline bool runs_here(const char *name) {
#if defined(__x86_64__)
    if (std::strcmp(name, "avx512") == 0) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    if (std::strcmp(name, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return std::strcmp(name, "baseline") == 0;
}

// The form with the widest vectors that this processor has and that fill rows of `dim`; `name` selects one form.
template <class Form>
const Form *choose(std::initializer_list<const Form *> forms, int64_t dim, const char *name) {
    for (const Form *form : forms)
        if (dim > 0 && dim % form->width == 0 && runs_here(form->name) && (!*name || std::strcmp(name, form->name) == 0)) return form;
    return nullptr;
}

#if defined(__x86_64__)
#define FORMS(kind) {&kind##_avx512, &kind##_avx2, &kind##_baseline}
#else
#define FORMS(kind) {&kind##_baseline}
#endif

// The code that an entry point returns.
template <class Form, class Run>
int guarded(const Form *form, const Run &run) {
    if (!form) return 2;
    try {
        run(*form);
    } catch (...) {
        return 1;
    }
    return 0;
}

}  // namespace
