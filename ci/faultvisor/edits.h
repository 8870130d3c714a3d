/*
 * What a fault does to a guest: to its saved state, by code that runs (edits.S), or to what is not
 * in an XSAVE area.
 */
#ifndef ZMMTEST_FAULTVISOR_EDITS_H
#define ZMMTEST_FAULTVISOR_EDITS_H

#include "host_cpu.h"

/* The guest's components in the mask, to and from an XSAVE area. */
void edit_xsave(void *area, uint64_t components);
void edit_xrstor(const void *area, uint64_t components);

/* Keeps cpu->area as a state to put back later, here or on another vCPU. */
void edit_keep_earlier(struct host_cpu *cpu);

/* Code that runs in the host, beneath the guest's registers. */
void code_avx256(void *scratch);
void code_avx256_one(void *scratch);
void code_avx128(void *scratch);
void code_fxsave_only(void *scratch);
void code_avx256_data(void);
void code_evex256(void);
void code_vzeroupper(void);
void code_vzeroall(void);
void code_hi16_zeroed(void);
void code_opmask_one(void);
void code_opmask_high(void);
void code_opmask_32(void);
void code_xmm_cleared(void);

/* Of cpu->area. False: there is nothing to do at this exit. */
typedef bool edit(struct host_cpu *cpu);
edit edit_flip, edit_init_zmm_hi256, edit_init_hi16, edit_init_opmask, edit_init_avx, edit_init_sse,
    edit_init_x87, edit_init_all, edit_init_all_x87, edit_init_above_sse, edit_init_avx512,
    edit_end_of_area, edit_x87, edit_x87_tag, edit_fcw, edit_fip, edit_mxcsr, edit_stale,
    edit_stale_xmm, edit_other_vcpu, edit_swapped, edit_foreign;
/* Something where a component was in its INIT state; false where it was not. */
edit edit_ghost_x87, edit_ghost_sse, edit_ghost_avx, edit_ghost_opmask, edit_ghost_zmm_hi256,
    edit_ghost_hi16, edit_ghost_old_xmm;
/* Of the guest's registers outside of cpu->area. */
edit change_gpr, change_rflags, change_xcr0, change_pkru, change_pkru_to_init,
    change_pkru_from_init, change_tsc_aux;

/* Where a system register of the guest is while the host runs. */
enum place {
    PLACE_NONE,
    PLACE_MSR,   /* VMX does not switch it: `number` is the MSR's */
    PLACE_FIELD, /* of the VMCS */
    PLACE_CR2,
    PLACE_CR8,
    PLACE_DR
};

/* One that is lost, until zmmtest puts it back: of its value some bits are kept, and some flipped.
 */
struct lost_register {
    enum place place;
    uint32_t number;
    uint64_t keep, flip;
};

/* False: they are what the host left there. */
bool edit_lose(struct host_cpu *cpu, const struct lost_register lost[LOST_REGISTERS]);

/* Of what has to come behind an instruction that was skipped: a #DB, a breakpoint, an interrupt. */
edit change_step_lost, change_step_late, change_ss_shadow_kept, change_rf_kept, change_rf_lost,
    change_rf_and_dr_lost, change_sti_shadow_lost, change_sti_shadow_kept;
/* Raises an exception at the next VM entry; or back at the instruction, which then never was. */
bool edit_raise(uint32_t vector, bool instead);

/* Whether zmmtest would notice, by the state in cpu->area. */
typedef bool edit_condition(struct host_cpu *cpu);
edit_condition always, is_by_xsave, is_by_registers, x87_is_live, all_with_x87_are_live,
    pkru_is_live;

#endif
