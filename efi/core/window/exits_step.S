/*
 * Exits whose instruction runs while something is to come right behind it: a single step, a breakpoint,
 * an interrupt. What skips the instruction for the guest has to see to that as the processor would
 * (SDM vol. 3, 26.4.2, 27.3.4, 33.2). Flags and frames are in the round (step.c).
 */
#include "window.h"

/*
 * IRETQ goes to one of three ways with flags of the round: TF or RF for the first, TF for the second,
 * none for the third. Only it sets RF; and the first #DB of a TF that it sets is that of the
 * instruction behind it. MOV to SS holds a #DB off until the next instruction has ended (SDM vol. 3,
 * 6.8.3), and STI an interrupt (vol. 2B, STI). NOP is there for an interrupt that comes too late.
 */
.macro step_event name, event:vararg
    push [rsp + ROUND_STEP_SS]
    push [rsp + ROUND_STEP_RSP + 8]
    push [rsp + ROUND_STEP_RFLAGS + 16]
    push [rsp + ROUND_STEP_CS + 24]
    push [rsp + ROUND_STEP_RIP + 32]
    iretq
    step_way \name, bare
    \event
    step_behind \name, bare
    jmp 3f
    step_way \name, shadow
    mov ss, word ptr [rsp + ROUND_STEP_SS]
    \event
    step_behind \name, shadow
    jmp 3f
    step_way \name, sti
    sti
    \event
    step_behind \name, sti
    nop
    cli
3:
.endm

/* The ways of one form, which are alike in all. */
.macro step_way name, way
    .if window_form_is == form_zmm
step_\name\()_\way:
    .endif
.endm

.macro step_behind name, way
    .if window_form_is == form_zmm
step_\name\()_\way\()_behind:
    .endif
.endm

.macro step_way_offsets name, way
    .long step_\name\()_\way - \name\()_zmm_event_end
    .long step_\name\()_\way\()_behind - \name\()_zmm_event_end
.endm

/* struct step_ways, from the end of the event. */
.macro step_ways name
    .section .rodata
    .balign 4
    .globl step_ways_\name
step_ways_\name:
    step_way_offsets \name, bare
    step_way_offsets \name, shadow
    step_way_offsets \name, sti
    .previous
.endm

    window cpuid_step, "rax, rbx, rcx, rdx", "step_event cpuid_step, cpuid"
    window out80_step, "", "step_event out80_step, out dx, al"
    window xapic_step, "rax", "step_event xapic_step, mov eax, [rbx + 0x390]"
    step_ways cpuid_step
    step_ways out80_step
    step_ways xapic_step

/*
 * The same without an exit, as functions: what a processor does by itself. RDI: a struct step_frame;
 * RIP and RSP are this code's own. Whether what was to come did is told by the handlers.
 */
    .text

.macro step_function name
    .globl \name
    .type \name, @function
\name:
.endm

step_function step_probe_trap
    push [rdi + 16]
    popfq
    nop
    .globl step_probe_trap_end
step_probe_trap_end:
    nop
    ret
    .size step_probe_trap, . - step_probe_trap

step_function step_probe_shadow
    push [rdi + 16]
    popfq
    mov ss, word ptr [rdi + 32]
    nop
    .globl step_probe_shadow_end
step_probe_shadow_end:
    nop
    ret
    .size step_probe_shadow, . - step_probe_shadow

step_function step_probe_breakpoint
    mov rax, rsp
    push [rdi + 32]
    push rax
    push [rdi + 16]
    push [rdi + 8]
    lea rax, [rip + step_probe_breakpoint_at]
    push rax
    iretq
    .globl step_probe_breakpoint_at, step_probe_breakpoint_end
step_probe_breakpoint_at:
    nop
step_probe_breakpoint_end:
    nop
    ret
    .size step_probe_breakpoint, . - step_probe_breakpoint

step_function step_probe_divide
    xor ecx, ecx
    div ecx
    ret
    .size step_probe_divide, . - step_probe_divide

step_function step_probe_handler
    ud2
    .size step_probe_handler, . - step_probe_handler

step_function step_probe_interrupt
    sti
    nop
    .globl step_probe_interrupt_end
step_probe_interrupt_end:
    nop
    cli
    ret
    .size step_probe_interrupt, . - step_probe_interrupt

    .section .note.GNU-stack, "", @progbits
