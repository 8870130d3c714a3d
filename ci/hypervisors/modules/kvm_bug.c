// SPDX-License-Identifier: GPL-2.0
/*
 * Breaks registers of KVM's guests, each behind one kind of VM exit: the bugs that zmmtest is to
 * find beneath a real hypervisor. From where a vCPU runs (KVM_RUN) to where it does not, the
 * processor holds the guest's registers, and KVM's code between its exits must leave them alone.
 * This does not.
 *
 *   insmod kvm_bug.ko bug=NAME,... exit=REASON,...
 *
 * The first bug strikes behind the first reason, and so on. A REASON is the basic exit reason of
 * VMX (SDM volume 3, appendix C), or the exit code of SVM (APM volume 2, appendix C).
 */
#include "vmcb.h"
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/vmx.h>

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Breaks a register of KVM's guests");

#define PLANTED_MAX 8

static char *bug[PLANTED_MAX];
static int planted;
module_param_array(bug, charp, &planted, 0444);
MODULE_PARM_DESC(bug, "what is broken");
static int exit_reason[PLANTED_MAX];
static int reasons;
module_param_array_named(exit, exit_reason, int, &reasons, 0444);
MODULE_PARM_DESC(exit, "behind which exits: basic exit reasons of VMX, or exit codes of SVM");

static unsigned long strikes[PLANTED_MAX];
module_param_array(strikes, ulong, &planted, 0444);
MODULE_PARM_DESC(strikes, "how often each was broken");

/*
 * A memcpy with 256-bit AVX that does not save what it uses: VEX.256 zeroes bits 511:256 (SDM
 * volume 1, 14.1.1).
 */
static void zmm_upper(struct kvm_vcpu *vcpu)
{
    asm volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                 "vmovdqa %ymm\\n, %ymm\\n\n"
                 ".endr");
}

static void vzeroupper(struct kvm_vcpu *vcpu)
{
    asm volatile("vzeroupper");
}

static void opmask(struct kvm_vcpu *vcpu)
{
    asm volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
                 "kxorw %k\\n, %k\\n, %k\\n\n"
                 ".endr");
}

/* That of Linux itself, with which it starts each use of the unit. */
static void mxcsr(struct kvm_vcpu *vcpu)
{
    static const u32 host = 0x1f80;

    asm volatile("ldmxcsr %0" : : "m"(host));
}

/*
 * A restore from an area whose header says that component 7 (Hi16_ZMM), or 2 (AVX), is in its
 * initial state.
 */
static void restore_initial(u32 components)
{
    static u8 area[4096] __aligned(64);

    asm volatile("xrstor %0" : : "m"(area), "a"(components), "d"(0));
}

static void hi16_zmm_init(struct kvm_vcpu *vcpu)
{
    restore_initial(1 << 7);
}

static void avx_init(struct kvm_vcpu *vcpu)
{
    restore_initial(1 << 2);
}

/* As KVM would put it back for a guest that is being debugged, from a wrong place. */
static void dr0(struct kvm_vcpu *vcpu)
{
    vcpu->arch.db[0] = vcpu->arch.eff_db[0] = 0x5555;
}

/*
 * Between two exits it is in the processor as the guest left it, with KVM on Intel
 * (vmx_prepare_switch_to_guest).
 */
static void kernel_gs_base(struct kvm_vcpu *vcpu)
{
    wrmsrl(MSR_KERNEL_GS_BASE, 0xffff888000000000);
}

/* KVM itself forgets what its guest wrote into XCR0. */
static void xcr0(struct kvm_vcpu *vcpu)
{
    vcpu->arch.xcr0 = 1;
}

static const struct bug {
    const char *name;
    void (*strike)(struct kvm_vcpu *vcpu);
    u64 needs; // of XCR0, as the guest has set it
} bugs[] = {
    {"zmm-upper", zmm_upper, 0xe6},
    {"vzeroupper", vzeroupper, 0x6},
    {"opmask", opmask, 0xe6},
    {"mxcsr", mxcsr, 0x2},
    {"hi16-zmm-init", hi16_zmm_init, 0xe6},
    {"avx-init", avx_init, 0x6},
    {"dr0", dr0, 0},
    {"kernel-gs-base", kernel_gs_base, 0},
    {"xcr0", xcr0, 0x6},
};
static const struct bug *chosen[PLANTED_MAX];

/* The VMCS of the vCPU is the current one there. */
static int reason_of_vmx(struct kvm_vcpu *vcpu)
{
    unsigned long reason;

    asm volatile("vmread %1, %0" : "=r"(reason) : "r"((unsigned long)VM_EXIT_REASON) : "cc");
    return reason & 0xffff;
}

static int reason_of_svm(struct kvm_vcpu *vcpu)
{
    return vmcb_of(vcpu)->control.exit_code;
}

static int (*reason_of)(struct kvm_vcpu *vcpu);

/* Only once the guest has turned the components on: its firmware is left alone until then. */
static int strike(struct kprobe *probe, struct pt_regs *regs)
{
    struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
    int reason = reason_of(vcpu);
    int n;

    for (n = 0; n < planted; n++) {
        u64 needs = chosen[n]->needs | 0x6;

        if (reason != exit_reason[n] || (vcpu->arch.xcr0 & needs) != needs)
            continue;
        chosen[n]->strike(vcpu);
        strikes[n]++;
    }
    return 0;
}

/* Both are called behind each exit, with interrupts still off. */
static struct kprobe probe = {.pre_handler = strike};

static const struct bug *bug_named(const char *name)
{
    int row;

    for (row = 0; row < ARRAY_SIZE(bugs); row++)
        if (!strcmp(name, bugs[row].name))
            return &bugs[row];
    pr_err("kvm_bug: bug=%s is unknown\n", name);
    return NULL;
}

static int __init start(void)
{
    int error;
    int n;

    if (!planted || reasons != planted) {
        pr_err("kvm_bug: each bug wants an exit\n");
        return -EINVAL;
    }
    for (n = 0; n < planted; n++) {
        chosen[n] = bug_named(bug[n]);
        if (!chosen[n])
            return -EINVAL;
    }
    reason_of = reason_of_vmx;
    probe.symbol_name = "vmx_handle_exit_irqoff";
    error = register_kprobe(&probe);
    if (error == -ENOENT) {
        probe.addr = NULL;
        reason_of = reason_of_svm;
        probe.symbol_name = "svm_handle_exit_irqoff";
        error = register_kprobe(&probe);
    }
    return error;
}

static void __exit stop(void)
{
    unregister_kprobe(&probe);
}

module_init(start);
module_exit(stop);
