/* SPDX-License-Identifier: GPL-2.0 */
/* The VMCB of a vCPU of kvm_amd's, for modules that do not have KVM's own headers. */
#ifndef ZMMTEST_CI_HYPERVISORS_MODULES_VMCB_H
#define ZMMTEST_CI_HYPERVISORS_MODULES_VMCB_H

#include <linux/kvm_host.h>

#include <asm/svm.h>

/*
 * KVM's own structure begins with the vCPU, and a pointer to its VMCB follows
 * (arch/x86/kvm/svm/svm.h).
 */
static inline struct vmcb *vmcb_of(const struct kvm_vcpu *vcpu)
{
    return *(struct vmcb **)(vcpu + 1);
}

#endif
