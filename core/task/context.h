/* The context switch: three registers saved by hand, the other callee-saved ones declared clobbered, so that the
 * compiler saves just those that are alive. It ends in a jump: a `ret` into the other side would miss the return
 * predictor, which costs three times the switch itself (shared/MACHINE.md). Floating point control words are not
 * switched. */
#ifndef WEIR_TASK_CONTEXT_H
#define WEIR_TASK_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <weir/base.h>

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_ASAN 1
#endif
#endif
#ifndef WEIR_ASAN
#define WEIR_ASAN 0
#endif

struct weir_context {
    void *sp, *fp, *pc;
#if WEIR_ASAN
    void *fake_stack;
    const void *bottom;
    size_t size;
#endif
};

/* Prepares a context that enters `entry` (which must not return) on a stack whose highest address is `top`. */
static inline void weir_context_prepare(struct weir_context *context, void *top, void (*entry)(void))
{
    uintptr_t sp = (uintptr_t)top & ~(uintptr_t)15;
#if defined(__x86_64__)
    sp -= 8;              /* as after a call: the ABI wants sp + 8 aligned at a function's entry */
    *(uintptr_t *)sp = 0; /* no caller: backtraces end here */
#endif
    context->sp = (void *)sp;
    context->fp = NULL;
    context->pc = (void *)entry;
}

#if WEIR_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom, size_t *size);
void __asan_handle_no_return(void);
#endif

#if defined(__AVX512F__)
#define WEIR_CLOBBERS_                                                                                                 \
    "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",        \
        "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#else
#define WEIR_CLOBBERS_
#endif

/* Returns the context that goes on here, `from`: whoever jumped back named it as his `to`, so it need not be kept on
 * the stack meanwhile. */
static inline __attribute__((always_inline)) struct weir_context *weir_context_jump_(struct weir_context *from,
                                                                                     struct weir_context *to)
{
#if defined(__x86_64__)
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, 0(%0)\n\t"
                     "movq %%rbp, 8(%0)\n\t"
                     "movq %%rax, 16(%0)\n\t"
                     "movq 0(%1), %%rsp\n\t"
                     "movq 8(%1), %%rbp\n\t"
                     "jmpq *16(%1)\n"
                     "1:"
                     : "+D"(from), "+S"(to)
                     :
                     : WEIR_CLOBBERS_ "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", "xmm1", "xmm2",
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15", "memory", "cc");
    return to;
#elif defined(__aarch64__)
    register struct weir_context *x0 __asm__("x0") = from;
    register struct weir_context *x1 __asm__("x1") = to;
    __asm__ volatile("mov x9, sp\n\t"
                     "adr x10, 1f\n\t"
                     "stp x9, x29, [x0]\n\t"
                     "str x10, [x0, #16]\n\t"
                     "ldp x9, x29, [x1]\n\t"
                     "ldr x16, [x1, #16]\n\t"
                     "mov sp, x9\n\t"
                     "br x16\n" /* by x16, so that `bti c` and `bti j` both let it in */
                     "1:\n\t"
                     "hint #36" /* bti j */
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                       "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0",
                       "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
                       "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
                       "v30", "v31", "memory", "cc");
    return x1;
#else
#error "no context switch for this processor: x86-64 and aarch64 have one"
#endif
}

/* Saves the running context in `from` and goes on in `to`, which may be the same. Returns `from` when somebody switches
 * back. */
static inline __attribute__((always_inline)) struct weir_context *weir_context_switch(struct weir_context *from,
                                                                                      struct weir_context *to)
{
#if WEIR_ASAN
    __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#endif
    from = weir_context_jump_(from, to);
#if WEIR_ASAN
    __sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
    return from;
}

/* Leaves the running context for good: nothing of it is kept. */
static inline __attribute__((always_inline)) WEIR_NORETURN void weir_context_leave(struct weir_context *to)
{
#if WEIR_ASAN
    __asan_handle_no_return(); /* or our frames stay poisoned, for whatever lies at these addresses next */
    __sanitizer_start_switch_fiber(NULL, to->bottom, to->size);
#endif
#if defined(__x86_64__)
    __asm__ volatile("movq 0(%0), %%rsp\n\t"
                     "movq 8(%0), %%rbp\n\t"
                     "jmpq *16(%0)"
                     :
                     : "S"(to)
                     : "memory");
#elif defined(__aarch64__)
    register struct weir_context *x1 __asm__("x1") = to;
    __asm__ volatile("ldp x9, x29, [x1]\n\t"
                     "ldr x16, [x1, #16]\n\t"
                     "mov sp, x9\n\t"
                     "br x16"
                     :
                     : "r"(x1)
                     : "x9", "x16", "memory");
#endif
    __builtin_unreachable();
}

/* First thing in a context's entry. */
static inline void weir_context_entered(void)
{
#if WEIR_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

#endif
