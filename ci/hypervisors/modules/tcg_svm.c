// SPDX-License-Identifier: GPL-2.0
/*
 * What QEMU's emulation of SVM lacks, so that kvm_amd runs a guest with AVX in it. It plants
 * nothing.
 *
 * 1. The emulation does not intercept XSETBV, so that KVM never learns the XCR0 of its guest, and
 * puts 1 back at each exit. This reads it behind each exit, where it is still the guest's.
 * 2. QEMU 7.2 stops with a failed assertion (tcg_handle_interrupt) when a guest writes CR8 while a
 * virtual interrupt is pending. KVM intercepts CR8 until it sees no need to; this keeps it from
 * looking.
 * 3. A physical interrupt may end a guest's run between STI and the next instruction. The emulation
 * says so in the VMCB, but VMRUN does not hold interrupts off again (svm_helper.c, helper_vmrun;
 * APM volume 2, 15.21.5): a pending one then comes before that instruction. This has the guest
 * execute its STI once more.
 * 4. A VMRUN that injects an interrupt delivers it, and forgets to say so: when the emulation's
 * loop stops next, it delivers it once more, even in the interrupt's own handler (svm_helper.c,
 * SVM_EVTINJ_TYPE_INTR leaves exception_index). It does not so with a software interrupt, which is
 * the same to a guest in ring 0. In ring 3 it would raise #GP, as no gate is for that ring.
 */
#include "vmcb.h"
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

#include <asm/fpu/xcr.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What QEMU's emulation of SVM lacks");

static unsigned long repeated;
module_param(repeated, ulong, 0444);
MODULE_PARM_DESC(repeated, "how often a guest executed its STI once more");

/* KVM's own, in arch/x86/kvm/cpuid.h: what CPUID says of XCR0 and of the size of an XSAVE area. */
void kvm_update_cpuid_runtime(struct kvm_vcpu *vcpu);

static void learn_xcr0(struct kvm_vcpu *vcpu)
{
    u64 xcr0;

    if (!(vcpu->arch.cr4 & X86_CR4_OSXSAVE))
        return;
    xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
    if (vcpu->arch.xcr0 == xcr0)
        return;
    vcpu->arch.xcr0 = xcr0;
    kvm_update_cpuid_runtime(vcpu);
}

/* Of a guest that has turned on AVX, which is zmmtest: its addresses are physical ones. */
static bool is_behind_sti(struct kvm_vcpu *vcpu)
{
    const u64 avx = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;
    u8 opcode;

    return (vcpu->arch.xcr0 & avx) == avx &&
           !kvm_vcpu_read_guest_atomic(vcpu, vcpu->arch.regs[VCPU_REGS_RIP] - 1, &opcode,
                                       sizeof(opcode)) &&
           opcode == 0xfb;
}

static void repeat_sti(struct kvm_vcpu *vcpu, struct vmcb *vmcb)
{
    if (vmcb->control.exit_code != SVM_EXIT_INTR ||
        !(vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK) || !is_behind_sti(vcpu))
        return;
    vmcb->control.int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
    vmcb->save.rflags &= ~(u64)X86_EFLAGS_IF;
    vcpu->arch.regs[VCPU_REGS_RIP]--;
    repeated++;
}

static void change_type(struct vmcb *vmcb, u32 *event, u32 from, u32 to)
{
    if (vmcb->save.cpl == 0 &&
        (*event & (SVM_EVTINJ_VALID | SVM_EVTINJ_TYPE_MASK)) == (SVM_EVTINJ_VALID | from))
        *event = (*event & ~SVM_EVTINJ_TYPE_MASK) | to;
}

static int before_entry(struct kprobe *probe, struct pt_regs *regs)
{
    struct vmcb *vmcb = vmcb_of((struct kvm_vcpu *)regs->di);

    change_type(vmcb, &vmcb->control.event_inj, SVM_EVTINJ_TYPE_INTR, SVM_EVTINJ_TYPE_SOFT);
    return 0;
}

/* What an exit kept from being delivered is KVM's own again. The guest has no INT of its own. */
static int behind_exit(struct kprobe *probe, struct pt_regs *regs)
{
    struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
    struct vmcb *vmcb = vmcb_of(vcpu);

    change_type(vmcb, &vmcb->control.exit_int_info, SVM_EVTINJ_TYPE_SOFT, SVM_EVTINJ_TYPE_INTR);
    learn_xcr0(vcpu);
    repeat_sti(vcpu, vmcb);
    return 0;
}

static notrace noinline void nothing(void)
{
}

static int return_at_once(struct kprobe *probe, struct pt_regs *regs)
{
    regs->ip = (unsigned long)nothing;
    return 1; // the function is not entered
}

static struct kprobe probes[] = {
    {.symbol_name = "kvm_load_guest_xsave_state", .pre_handler = before_entry},
    {.symbol_name = "kvm_load_host_xsave_state", .pre_handler = behind_exit},
    {.symbol_name = "svm_update_cr8_intercept", .pre_handler = return_at_once},
};
static struct kprobe *all[] = {&probes[0], &probes[1], &probes[2]};

static int __init start(void)
{
    return register_kprobes(all, ARRAY_SIZE(all));
}

static void __exit stop(void)
{
    unregister_kprobes(all, ARRAY_SIZE(all));
}

module_init(start);
module_exit(stop);
