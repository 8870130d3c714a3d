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
 */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

#include <asm/fpu/xcr.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What QEMU's emulation of SVM lacks");

static int learn_xcr0(struct kprobe *probe, struct pt_regs *regs)
{
    struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;

    if (vcpu->arch.cr4 & X86_CR4_OSXSAVE)
        vcpu->arch.xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
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
    {.symbol_name = "kvm_load_host_xsave_state", .pre_handler = learn_xcr0},
    {.symbol_name = "svm_update_cr8_intercept", .pre_handler = return_at_once},
};
static struct kprobe *all[] = {&probes[0], &probes[1]};

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
