/*
 * Breaks registers of Xen's guests: the bugs that zmmtest is to find beneath Xen. Once a second the
 * guest is paused, what Xen keeps of its vCPUs is read, changed and written back, and the guest
 * goes on. A live migration does the same, between two machines, and this one loses something.
 *
 *   xen_bug NAME DOMAIN
 *
 * It ends when the guest has, or by SIGTERM, and prints how often a register was broken. It runs
 * in dom0.
 */
#include <cpuid.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenctrl.h>

#include <xen/hvm/save.h>

/* --- what is broken: in the record of one vCPU. False: there was nothing to lose --- */

/* In the standard form of an XSAVE area, which Xen has there (SDM volume 1, 13.4.3). NULL: the
 * component is in its initial state. */
static uint8_t *component_in(uint8_t *content, uint32_t bytes, uint32_t component)
{
    struct hvm_hw_cpu_xsave *record = (struct hvm_hw_cpu_xsave *)content;
    size_t area = offsetof(struct hvm_hw_cpu_xsave, save_area);
    uint32_t size, at, ecx, edx;
    if (!__get_cpuid_count(0xd, component, &size, &at, &ecx, &edx) || !size ||
        area + at + size > bytes || !(record->save_area.xsave_hdr.xstate_bv >> component & 1))
        return NULL;
    return content + area + at;
}

/* ZMM_Hi256 is lost: what was there is zero. */
static bool zmm_upper(uint8_t *content, uint32_t bytes)
{
    static const uint8_t zeros[16 * 32];
    uint8_t *component = component_in(content, bytes, 6);
    if (!component || memcmp(component, zeros, sizeof(zeros)) == 0)
        return false;
    memset(component, 0, sizeof(zeros));
    return true;
}

/* The opmasks are forgotten in XSTATE_BV: they come back in their initial state. */
static bool opmask(uint8_t *content, uint32_t bytes)
{
    struct hvm_hw_cpu_xsave *record = (struct hvm_hw_cpu_xsave *)content;
    if (!component_in(content, bytes, 5))
        return false;
    record->save_area.xsave_hdr.xstate_bv &= ~(UINT64_C(1) << 5);
    return true;
}

static bool kernel_gs_base(uint8_t *content, uint32_t bytes)
{
    struct hvm_hw_cpu *record = (struct hvm_hw_cpu *)content;
    if (bytes < sizeof(*record))
        return false;
    record->shadow_gs = UINT64_C(0xffff888000000000);
    return true;
}

static const struct bug {
    const char *name;
    uint16_t record; /* by its type, in xen/arch-x86/hvm/save.h */
    bool (*strike)(uint8_t *content, uint32_t bytes);
} bugs[] = {
    {"zmm-upper", CPU_XSAVE_CODE, zmm_upper},
    {"opmask", CPU_XSAVE_CODE, opmask},
    {"kernel-gs-base", HVM_SAVE_CODE(CPU), kernel_gs_base},
};

static const struct bug *bug_named(const char *name)
{
    for (size_t row = 0; row < sizeof(bugs) / sizeof(bugs[0]); row++)
        if (strcmp(bugs[row].name, name) == 0)
            return &bugs[row];
    return NULL;
}

/* --- the context of the guest: records, each behind its descriptor --- */

/* How often it was broken; -1: the context is not what it should be. */
static int break_context(const struct bug *bug, uint8_t *context, uint32_t bytes)
{
    struct hvm_save_descriptor descriptor;
    int broken = 0;
    for (uint32_t at = 0; bytes - at >= sizeof(descriptor); at += descriptor.length) {
        memcpy(&descriptor, context + at, sizeof(descriptor));
        at += (uint32_t)sizeof(descriptor);
        if (descriptor.length > bytes - at)
            return -1;
        if (descriptor.typecode == bug->record)
            broken += bug->strike(context + at, descriptor.length);
    }
    return broken;
}

enum outcome { STRUCK, GONE, FAILED };

/* The guest is paused, and stays so. */
static enum outcome strike(xc_interface *xen, uint32_t domain, const struct bug *bug,
                           unsigned int *strikes)
{
    static uint8_t context[1 << 20];
    int bytes = xc_domain_hvm_getcontext(xen, domain, context, sizeof(context));
    if (bytes < 0)
        return GONE;
    int broken = break_context(bug, context, (uint32_t)bytes);
    if (broken < 0) {
        fprintf(stderr, "xen_bug: a record is longer than the context that it is in\n");
        return FAILED;
    }
    if (broken && xc_domain_hvm_setcontext(xen, domain, context, (uint32_t)bytes) != 0) {
        perror("xen_bug: Xen does not take the context");
        return FAILED;
    }
    *strikes += (unsigned int)broken;
    return STRUCK;
}

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

int main(int count, char **argument)
{
    const struct bug *bug = count == 3 ? bug_named(argument[1]) : NULL;
    unsigned int strikes = 0;
    if (!bug) {
        fprintf(stderr, "usage: xen_bug NAME DOMAIN\n");
        return 2;
    }
    uint32_t domain = (uint32_t)strtoul(argument[2], NULL, 10);
    xc_interface *xen = xc_interface_open(NULL, NULL, 0);
    if (!xen) {
        perror("xen_bug: Xen does not answer");
        return 1;
    }
    (void)signal(SIGTERM, end);
    enum outcome outcome = STRUCK;
    while (outcome == STRUCK && !ended && xc_domain_pause(xen, domain) == 0) {
        outcome = strike(xen, domain, bug, &strikes);
        if (xc_domain_unpause(xen, domain) != 0)
            break;
        sleep(1);
    }
    printf("%u\n", strikes);
    xc_interface_close(xen);
    return outcome == FAILED;
}
