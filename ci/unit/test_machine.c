/* The machine: processor, hypervisor and vector state are read right from any CPUID, even a wrong
 * one. */
#include "../../efi/core/machine/changes.h"
#include "../../efi/core/machine/cpu.h"
#include "../../efi/core/machine/hypervisor.h"
#include "../../efi/core/machine/xstate.h"
#include "host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LEAVES_MAX     32u
#define ECX_MONITOR    (1u << 3)
#define ECX_X2APIC     (1u << 21)
#define ECX_XSAVE      (1u << 26)
#define ECX_AVX        (1u << 28)
#define ECX_HYPERVISOR (1u << 31)
#define EBX_AVX512F    (1u << 16)
#define EBX_AVX512BW   (1u << 30)

static struct {
    struct fake_leaf leaf[LEAVES_MAX];
    unsigned int count;
} table;

static struct cpu cpu;
static struct hypervisor hypervisor;
static struct xstate xstate;

static void set_leaf(uint32_t leaf, uint32_t subleaf, struct cpuid answer)
{
    unsigned int n = 0;
    while (n < table.count && (table.leaf[n].leaf != leaf || table.leaf[n].subleaf != subleaf))
        n++;
    assert_true(n < LEAVES_MAX);
    table.leaf[n] = (struct fake_leaf){leaf, subleaf, answer};
    if (n == table.count)
        table.count++;
    fake_cpuid(table.leaf, table.count);
}

static uint32_t word(const char *text)
{
    uint32_t value;
    memcpy(&value, text, sizeof(value));
    return value;
}

static void set_vendor(const char *vendor, uint32_t highest)
{
    set_leaf(0, 0, (struct cpuid){highest, word(vendor), word(vendor + 8), word(vendor + 4)});
}

/* A signature is exactly 12 characters; unlike a vendor, it is in the order EBX, ECX, EDX. */
static void set_signature(uint32_t base, const char *signature, uint32_t highest)
{
    set_leaf(base, 0,
             (struct cpuid){highest, word(signature), word(signature + 4), word(signature + 8)});
}

static void set_brand(const char brand[48])
{
    set_leaf(0x80000000, 0, (struct cpuid){.eax = 0x80000008});
    for (uint32_t n = 0; n < 3; n++) {
        const char *part = brand + (size_t)16 * n;
        set_leaf(0x80000002 + n, 0,
                 (struct cpuid){word(part), word(part + 4), word(part + 8), word(part + 12)});
    }
}

/* A table of a full AVX-512 machine, which each test takes something from. */
static int make_full_machine(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    set_vendor("GenuineIntel", 0x1f);
    set_leaf(1, 0,
             (struct cpuid){0x000806f8, 0,
                            ECX_MONITOR | ECX_X2APIC | ECX_XSAVE | ECX_AVX | ECX_HYPERVISOR, 0});
    set_leaf(7, 0, (struct cpuid){.ebx = EBX_AVX512F | EBX_AVX512BW});
    set_leaf(0xd, 0, (struct cpuid){.eax = 0x602e7, .ecx = 11008});
    set_leaf(0xd, 2, (struct cpuid){.eax = 256, .ebx = 576});
    set_leaf(0xd, 5, (struct cpuid){.eax = 64, .ebx = 1088});
    set_leaf(0xd, 6, (struct cpuid){.eax = 512, .ebx = 1152});
    set_leaf(0xd, 7, (struct cpuid){.eax = 1024, .ebx = 1664});
    set_leaf(0xd, 9, (struct cpuid){.eax = 8, .ebx = 2688});
    set_leaf(0xd, 17, (struct cpuid){.eax = 64, .ebx = 2752});
    set_leaf(0xd, 18, (struct cpuid){.eax = 8192, .ebx = 2816});
    return 0;
}

static int use_real_cpuid(void **state)
{
    (void)state;
    fake_cpuid(NULL, 0);
    return 0;
}

static void expect_version(uint32_t eax, uint32_t family, uint32_t model, uint32_t stepping)
{
    set_leaf(1, 0, (struct cpuid){.eax = eax});
    cpu_identify(&cpu);
    assert_int_equal(cpu.family, family);
    assert_int_equal(cpu.model, model);
    assert_int_equal(cpu.stepping, stepping);
}

static void family_and_model_are_put_together_from_their_parts(void **state)
{
    (void)state;
    expect_version(0x000806f8, 6, 0x8f, 8);
    expect_version(0x000c06f2, 6, 0xcf, 2);
    expect_version(0x00050657, 6, 0x55, 7);
    expect_version(0x000006f1, 6, 0x0f, 1);
    expect_version(0x00000543, 5, 4, 3);
    expect_version(0x000f0543, 5, 4, 3);
    expect_version(0x00a20f12, 25, 0x21, 2);
    expect_version(0x00a10f11, 25, 0x11, 1);
    expect_version(0x00b00f21, 26, 0x02, 1);
    expect_version(0x00b40f40, 26, 0x44, 0);
    expect_version(0x00800f82, 23, 0x08, 2);
    expect_version(0x00000f29, 15, 2, 9);
    expect_version(0x0ff00f00, 270, 0, 0);
    expect_version(0xfff006f8, 6, 0x0f, 8);
}

static void the_vendor_decides_who_takes_vmmcall(void **state)
{
    (void)state;
    static const struct {
        const char *vendor;
        bool amd;
    } cases[] = {{"GenuineIntel", false}, {"AuthenticAMD", true},  {"HygonGenuine", true},
                 {"CentaurHauls", false}, {"  Shanghai  ", false}, {"AMDisbetter!", false}};
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        set_vendor(cases[n].vendor, 0x1f);
        cpu_identify(&cpu);
        assert_string_equal(cpu.vendor, cases[n].vendor);
        assert_int_equal(cpu.amd, cases[n].amd);
        assert_int_equal(cpu.highest_leaf, 0x1f);
    }
}

static void the_brand_loses_its_blanks_on_both_sides(void **state)
{
    (void)state;
    set_brand("      Intel(R) Xeon(R) Platinum 8480+           ");
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "Intel(R) Xeon(R) Platinum 8480+");
    set_brand("AMD EPYC 9654 96-Core Processor                \0");
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "AMD EPYC 9654 96-Core Processor");
    set_brand("123456789012345678901234567890123456789012345678");
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "123456789012345678901234567890123456789012345678");
    set_brand("x\0 old characters behind the end                ");
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "x");
}

static void without_a_brand_the_vendor_stands_for_it(void **state)
{
    (void)state;
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "GenuineIntel");
    set_brand("                                                ");
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "GenuineIntel");
    set_brand("\0                                               ");
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "GenuineIntel");
    set_brand("some brand                                      ");
    set_leaf(0x80000000, 0, (struct cpuid){.eax = 0x80000003});
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "GenuineIntel");
    set_leaf(0x80000000, 0, (struct cpuid){.eax = 0x80000004});
    cpu_identify(&cpu);
    assert_string_equal(cpu.brand, "some brand");
}

static unsigned int features(void)
{
    memset(&cpu, 0xff, sizeof(cpu));
    cpu_identify(&cpu);
    return cpu.monitor | cpu.x2apic << 1 | cpu.xsave << 2 | cpu.avx << 3 | cpu.hypervisor_bit << 4 |
           cpu.avx512f << 5 | cpu.avx512bw << 6;
}

static void each_feature_has_its_own_bit(void **state)
{
    (void)state;
    static const uint32_t bits[] = {ECX_MONITOR, ECX_X2APIC, ECX_XSAVE, ECX_AVX, ECX_HYPERVISOR};
    assert_int_equal(features(), 0x7f);
    set_leaf(7, 0, (struct cpuid){.eax = UINT32_MAX, .ecx = UINT32_MAX, .edx = UINT32_MAX});
    for (unsigned int n = 0; n < sizeof(bits) / sizeof(bits[0]); n++) {
        set_leaf(1, 0, (struct cpuid){.ecx = bits[n]});
        assert_int_equal(features(), 1u << n);
        set_leaf(1, 0, (struct cpuid){UINT32_MAX, UINT32_MAX, ~bits[n], UINT32_MAX});
        assert_int_equal(features(), 0x1f & ~(1u << n));
    }
    set_leaf(1, 0, (struct cpuid){0});
    set_leaf(7, 0, (struct cpuid){.ebx = EBX_AVX512F});
    assert_int_equal(features(), 1u << 5);
    set_leaf(7, 0, (struct cpuid){.ebx = EBX_AVX512BW});
    assert_int_equal(features(), 1u << 6);
}

static void leaf_seven_is_not_read_where_there_is_none(void **state)
{
    (void)state;
    set_vendor("GenuineIntel", 6);
    assert_int_equal(features(), 0x1f);
    set_vendor("GenuineIntel", 7);
    assert_int_equal(features(), 0x7f);
}

static void nothing_of_an_earlier_processor_stays(void **state)
{
    (void)state;
    set_vendor("AuthenticAMD", 6);
    memset(&cpu, 0xff, sizeof(cpu));
    cpu_identify(&cpu);
    assert_false(cpu.avx512f || cpu.avx512bw);
    assert_int_equal(cpu.highest_leaf, 6);
    assert_string_equal(cpu.vendor, "AuthenticAMD");
    assert_string_equal(cpu.brand, "AuthenticAMD");
    for (size_t n = strlen(cpu.brand); n < sizeof(cpu.brand); n++)
        assert_int_equal(cpu.brand[n], 0);
}

static void identify_hypervisor(void)
{
    memset(&hypervisor, 0xff, sizeof(hypervisor));
    cpu_identify(&cpu);
    hypervisor_identify(&hypervisor, &cpu);
}

static void without_the_hypervisor_bit_there_is_none(void **state)
{
    (void)state;
    set_signature(0x40000000, "VMwareVMware", 0x40000010);
    set_leaf(0x40000010, 0, (struct cpuid){.eax = 2000000, .ecx = 3});
    set_leaf(1, 0, (struct cpuid){.ecx = ~ECX_HYPERVISOR});
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_NONE);
    assert_string_equal(hypervisor.name, "none");
    assert_string_equal(hypervisor.signature, "");
    assert_int_equal(hypervisor.hypercall, HYPERCALL_NONE);
    assert_false(hypervisor.backdoor);
    assert_int_equal(hypervisor.build, 0);
    assert_int_equal(hypervisor.tsc_khz, 0);
}

static const struct {
    const char *signature, *name;
    enum hypervisor_kind kind;
    enum hypercall on_intel, on_amd;
} known[] = {
    {"VMwareVMware", "VMware", HYPERVISOR_VMWARE, HYPERCALL_NONE, HYPERCALL_NONE},
    {"KVMKVMKVM\0\0\0", "KVM", HYPERVISOR_KVM, HYPERCALL_VMCALL, HYPERCALL_VMMCALL},
    {"Microsoft Hv", "Hyper-V", HYPERVISOR_HYPERV, HYPERCALL_NONE, HYPERCALL_NONE},
    {"XenVMMXenVMM", "Xen", HYPERVISOR_XEN, HYPERCALL_VMCALL, HYPERCALL_VMMCALL},
    {"bhyve bhyve ", "bhyve", HYPERVISOR_BHYVE, HYPERCALL_NONE, HYPERCALL_NONE},
    {"VBoxVBoxVBox", "VirtualBox", HYPERVISOR_VIRTUALBOX, HYPERCALL_NONE, HYPERCALL_NONE},
    {"TCGTCGTCGTCG", "QEMU TCG", HYPERVISOR_TCG, HYPERCALL_NONE, HYPERCALL_NONE},
};

static void each_signature_names_its_hypervisor_and_a_harmless_call(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
        set_signature(0x40000000, known[n].signature, 0x40000001);
        set_vendor("GenuineIntel", 0x1f);
        identify_hypervisor();
        assert_int_equal(hypervisor.kind, known[n].kind);
        assert_string_equal(hypervisor.name, known[n].name);
        assert_string_equal(hypervisor.signature, known[n].signature);
        assert_int_equal(hypervisor.hypercall, known[n].on_intel);
        set_vendor("AuthenticAMD", 0x1f);
        identify_hypervisor();
        assert_int_equal(hypervisor.kind, known[n].kind);
        assert_int_equal(hypervisor.hypercall, known[n].on_amd);
    }
}

static void a_signature_that_nobody_knows_is_kept(void **state)
{
    (void)state;
    static const char *const unknown[] = {"ACRNACRNACRN", "KVMKVMKVMKVM", "vmwarevmware",
                                          "Microsoft HV", "\0\0\0\0\0\0\0\0\0\0\0\0"};
    for (size_t n = 0; n < sizeof(unknown) / sizeof(unknown[0]); n++) {
        set_signature(0x40000000, unknown[n], 0x40000010);
        set_leaf(0x40000010, 0, (struct cpuid){.eax = 2000000, .ecx = 3});
        identify_hypervisor();
        assert_int_equal(hypervisor.kind, HYPERVISOR_UNKNOWN);
        assert_string_equal(hypervisor.name, "unknown");
        assert_string_equal(hypervisor.signature, unknown[n]);
        assert_int_equal(hypervisor.hypercall, HYPERCALL_NONE);
        assert_int_equal(hypervisor.tsc_khz, 0);
    }
}

static void who_stands_behind_the_leaves_of_another_is_found(void **state)
{
    (void)state;
    set_signature(0x40000000, "Microsoft Hv", 0x4000000b);
    set_signature(0x40000100, "KVMKVMKVM\0\0\0", 0x40000101);
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_KVM);
    assert_string_equal(hypervisor.name, "KVM");
    assert_int_equal(hypervisor.hypercall, HYPERCALL_VMCALL);
    set_vendor("AuthenticAMD", 0x1f);
    identify_hypervisor();
    assert_int_equal(hypervisor.hypercall, HYPERCALL_VMMCALL);
    set_signature(0x40000100, "XenVMMXenVMM", 0x40000105);
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_XEN);
    set_signature(0x40000100, "VMwareVMware", 0x40000110);
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_HYPERV);
    set_signature(0x4000ff00, "KVMKVMKVM\0\0\0", 0x4000ff01);
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_KVM);
}

static void who_is_first_is_not_replaced_by_one_further_up(void **state)
{
    (void)state;
    set_signature(0x40000000, "VMwareVMware", 0x40000010);
    set_signature(0x40000100, "KVMKVMKVM\0\0\0", 0x40000101);
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_VMWARE);
    set_signature(0x40000000, "????????????", 0x40000001);
    identify_hypervisor();
    assert_int_equal(hypervisor.kind, HYPERVISOR_KVM);
}

static void vmware_is_called_only_as_it_offers(void **state)
{
    (void)state;
    static const enum hypercall offered[] = {HYPERCALL_NONE, HYPERCALL_VMWARE_VMMCALL,
                                             HYPERCALL_VMWARE_VMCALL, HYPERCALL_VMWARE_VMMCALL};
    for (uint32_t ecx = 0; ecx < 4; ecx++) {
        set_leaf(0x40000010, 0, (struct cpuid){.eax = 2400000, .ecx = ecx});
        set_signature(0x40000000, "VMwareVMware", 0x40000010);
        identify_hypervisor();
        assert_int_equal(hypervisor.hypercall, offered[ecx]);
        assert_int_equal(hypervisor.tsc_khz, 2400000);
        set_signature(0x40000000, "VMwareVMware", 0x4000000f);
        identify_hypervisor();
        assert_int_equal(hypervisor.kind, HYPERVISOR_VMWARE);
        assert_int_equal(hypervisor.hypercall, HYPERCALL_NONE);
        assert_int_equal(hypervisor.tsc_khz, 0);
    }
}

static void only_those_who_offer_it_are_asked_for_the_frequency(void **state)
{
    (void)state;
    set_leaf(0x40000010, 0, (struct cpuid){.eax = 2400000});
    for (size_t n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
        set_signature(0x40000000, known[n].signature, 0x40000010);
        identify_hypervisor();
        bool offers = known[n].kind == HYPERVISOR_VMWARE || known[n].kind == HYPERVISOR_KVM;
        assert_int_equal(hypervisor.tsc_khz, offers ? 2400000 : 0);
    }
}

static void identify_xstate(void)
{
    memset(&xstate, 0xff, sizeof(xstate));
    cpu_identify(&cpu);
    xstate_identify(&xstate, &cpu);
}

static void offer(uint64_t bits)
{
    set_leaf(0xd, 0,
             (struct cpuid){.eax = (uint32_t)bits, .ecx = 11008, .edx = (uint32_t)(bits >> 32)});
    identify_xstate();
}

static void a_full_machine_has_every_component_and_its_size(void **state)
{
    (void)state;
    static const struct {
        unsigned int bit;
        uint32_t size;
    } sizes[] = {{0, 160},  {1, 256}, {2, 256}, {5, 64},   {6, 512},
                 {7, 1024}, {9, 8},   {17, 64}, {18, 8192}};
    identify_xstate();
    assert_int_equal(xstate.offered, 0x602e7);
    assert_int_equal(xstate.wanted, 0x602e7);
    assert_int_equal(xstate.form, FORM_ZMM);
    assert_null(xstate.no_avx512);
    for (unsigned int bit = 0, n = 0; bit < XCR0_BITS; bit++) {
        bool listed = n < sizeof(sizes) / sizeof(sizes[0]) && sizes[n].bit == bit;
        assert_int_equal(xstate.size[bit], listed ? sizes[n].size : 0);
        n += listed;
    }
}

static void hidden_xsave_leaves_sse(void **state)
{
    (void)state;
    set_leaf(1, 0, (struct cpuid){.ecx = ~ECX_XSAVE});
    identify_xstate();
    assert_int_equal(xstate.offered, 0);
    assert_int_equal(xstate.wanted, 0);
    assert_int_equal(xstate.form, FORM_XMM);
    assert_non_null(strstr(xstate.no_avx512, "XSAVE is hidden"));
}

static void a_missing_leaf_leaves_sse(void **state)
{
    (void)state;
    set_vendor("GenuineIntel", 0xc);
    identify_xstate();
    assert_int_equal(xstate.wanted, 0);
    assert_int_equal(xstate.form, FORM_XMM);
    assert_non_null(strstr(xstate.no_avx512, "no leaf 0DH"));
    set_vendor("GenuineIntel", 0xd);
    identify_xstate();
    assert_int_equal(xstate.form, FORM_ZMM);
}

static void hidden_avx_leaves_sse_even_where_its_state_is_offered(void **state)
{
    (void)state;
    set_leaf(1, 0, (struct cpuid){.ecx = ~ECX_AVX});
    identify_xstate();
    assert_int_equal(xstate.form, FORM_XMM);
    assert_non_null(strstr(xstate.no_avx512, "AVX is hidden"));
    offer(7);
    assert_int_equal(xstate.form, FORM_XMM);
}

static void hidden_avx512_leaves_avx(void **state)
{
    (void)state;
    set_leaf(7, 0, (struct cpuid){.ebx = EBX_AVX512BW});
    identify_xstate();
    assert_int_equal(xstate.form, FORM_YMM);
    assert_int_equal(xstate.wanted, 0x602e7);
    assert_non_null(strstr(xstate.no_avx512, "AVX-512 is hidden"));
    set_leaf(7, 0, (struct cpuid){.ebx = EBX_AVX512F});
    identify_xstate();
    assert_int_equal(xstate.form, FORM_YMM);
    assert_non_null(strstr(xstate.no_avx512, "AVX512BW is hidden"));
    set_leaf(7, 0, (struct cpuid){0});
    offer(7);
    assert_int_equal(xstate.form, FORM_YMM);
    assert_non_null(strstr(xstate.no_avx512, "AVX-512 is hidden"));
}

static void avx512_without_its_whole_state_leaves_avx(void **state)
{
    (void)state;
    for (uint64_t some = 0; some < 7; some++) {
        offer(7 | some << 5);
        assert_int_equal(xstate.offered, 7 | some << 5);
        assert_int_equal(xstate.wanted, 7);
        assert_int_equal(xstate.form, FORM_YMM);
        assert_non_null(strstr(xstate.no_avx512, "CPUID.0D does not allow"));
    }
    offer(0xe7);
    assert_int_equal(xstate.wanted, 0xe7);
    assert_int_equal(xstate.form, FORM_ZMM);
    assert_null(xstate.no_avx512);
}

static void state_that_stands_on_missing_state_is_not_wanted(void **state)
{
    (void)state;
    offer(0xe3);
    assert_int_equal(xstate.wanted, 3);
    assert_int_equal(xstate.form, FORM_XMM);
    assert_non_null(xstate.no_avx512);
    offer(0xe5);
    assert_int_equal(xstate.wanted, 1);
    assert_int_equal(xstate.form, FORM_XMM);
    offer(5);
    assert_int_equal(xstate.wanted, 1);
    offer(3);
    assert_int_equal(xstate.wanted, 3);
    assert_int_equal(xstate.form, FORM_XMM);
    offer(6);
    assert_int_equal(xstate.wanted, 7);
    assert_int_equal(xstate.form, FORM_YMM);
    offer(0);
    assert_int_equal(xstate.wanted & ~UINT64_C(1), 0);
    assert_int_equal(xstate.form, FORM_XMM);
}

static void half_a_pair_is_not_wanted(void **state)
{
    (void)state;
    static const uint64_t pairs[] = {UINT64_C(3) << 3, UINT64_C(3) << 17};
    for (size_t n = 0; n < sizeof(pairs) / sizeof(pairs[0]); n++) {
        uint64_t low = pairs[n] & -pairs[n], high = pairs[n] & ~low;
        offer(0xe7 | low);
        assert_int_equal(xstate.offered, 0xe7 | low);
        assert_int_equal(xstate.wanted, 0xe7);
        offer(0xe7 | high);
        assert_int_equal(xstate.wanted, 0xe7);
        offer(0xe7 | low | high);
        assert_int_equal(xstate.wanted, 0xe7 | low | high);
        assert_int_equal(xstate.form, FORM_ZMM);
    }
}

static void the_area_holds_all_components_whatever_ecx_says(void **state)
{
    (void)state;
    static const uint32_t said[] = {0, 576, 11007, 11008, AREA_MOST + 1, UINT32_MAX};
    for (size_t n = 0; n < sizeof(said) / sizeof(said[0]); n++) {
        set_leaf(0xd, 0, (struct cpuid){.eax = 0x602e7, .ecx = said[n]});
        identify_xstate();
        assert_int_equal(xstate.area_bytes, 11008);
        assert_int_equal(xstate.contradicts, 0);
    }
    set_leaf(0xd, 0, (struct cpuid){.eax = 0x602e7, .ecx = 20001});
    identify_xstate();
    assert_int_equal(xstate.area_bytes, 20032);
}

/* Each is one leaf of a machine that contradicts itself; AMX goes or stays as a whole. */
static void what_cpuid_describes_as_it_cannot_be_is_not_used(void **state)
{
    static const struct {
        uint32_t bit, size, offset;
        uint64_t contradicts;
    } leaves[] = {
        {5, 128, 1088, 1 << 5},       {2, 16, 576, 1 << 2},       {7, UINT32_MAX, 1664, 1 << 7},
        {6, 512, UINT32_MAX, 1 << 6}, {6, 512, 0, 1 << 6},        {6, 512, 512, 1 << 6},
        {6, 512, AREA_MOST, 1 << 6},  {7, 1024, 1600, 1 << 7},    {9, 8, 1664, 1 << 9},
        {9, 8, 2696 - 16, 1 << 9},    {17, 64, 2688, XCR0_AMX},   {18, 64, 2816, XCR0_AMX},
        {18, 8192, 60000, XCR0_AMX},  {17, 4096, 2752, XCR0_AMX},
    };
    for (size_t n = 0; n < sizeof(leaves) / sizeof(leaves[0]); n++) {
        make_full_machine(state);
        set_leaf(0xd, leaves[n].bit,
                 (struct cpuid){.eax = leaves[n].size, .ebx = leaves[n].offset});
        identify_xstate();
        assert_int_equal(xstate.contradicts, leaves[n].contradicts);
        for (unsigned int bit = 2; bit < XCR0_BITS; bit++)
            if (xstate.contradicts >> bit & 1)
                assert_int_equal(xstate.size[bit], 0);
        assert_in_range(xstate.area_bytes, 2688, AREA_MOST);
        assert_int_equal(xstate.wanted, 0x602e7); /* registers are tested all the same */
    }
}

/* Of two that overlap, the one of the higher number goes. */
static void components_do_not_overlap(void **state)
{
    (void)state;
    set_leaf(0xd, 20, (struct cpuid){.eax = 64, .ebx = 11007});
    set_leaf(0xd, 21, (struct cpuid){.eax = 64, .ebx = 11070});
    offer(0x602e7 | UINT64_C(3) << 20);
    assert_int_equal(xstate.contradicts, 1 << 20);
    assert_int_equal(xstate.size[20], 0);
    assert_int_equal(xstate.size[21], 64);
    assert_int_equal(xstate.area_bytes, 11136);
}

static void a_component_without_a_name_is_wanted_with_its_size(void **state)
{
    (void)state;
    set_leaf(0xd, 20, (struct cpuid){.eax = 4321, .ebx = 11008});
    set_leaf(0xd, 62, (struct cpuid){.eax = 128, .ebx = 16384});
    offer(0xe7 | UINT64_C(1) << 20 | UINT64_C(1) << 62);
    assert_true(xstate.wanted == (0xe7 | UINT64_C(1) << 20 | UINT64_C(1) << 62));
    assert_int_equal(xstate.size[20], 4321);
    assert_int_equal(xstate.size[62], 128);
    assert_int_equal(xstate.size[9], 0);
    assert_null(xstate_component_name(20));
    assert_null(xstate_component_name(62));
}

static void components_have_intels_names(void **state)
{
    (void)state;
    assert_string_equal(xstate_component_name(0), "x87");
    assert_string_equal(xstate_component_name(2), "AVX");
    assert_string_equal(xstate_component_name(5), "opmask");
    assert_string_equal(xstate_component_name(6), "ZMM_Hi256");
    assert_string_equal(xstate_component_name(7), "Hi16_ZMM");
    assert_string_equal(xstate_component_name(9), "PKRU");
    assert_string_equal(xstate_component_name(17), "AMX_TILECFG");
    assert_string_equal(xstate_component_name(18), "AMX_TILEDATA");
    assert_string_equal(xstate_component_name(19), "APX");
}

/* In findings, counts and states alike. */
static void a_component_without_a_name_goes_by_its_number(void **state)
{
    (void)state;
    char name[XSTATE_NAME];
    xstate_name(20, name);
    assert_string_equal(name, "component-20");
    xstate_log_name(20, name);
    assert_string_equal(name, "component-20");
    xstate_name(18, name);
    assert_string_equal(name, "AMX_TILEDATA");
    xstate_log_name(18, name);
    assert_string_equal(name, "amx_tiledata");
}

/* Two looks at one machine: what a migration may change of it is named, and nothing else. */
static void what_changed_of_a_machine_is_named(void **state)
{
    (void)state;
    static struct machine before, now;
    char buffer[200];
    struct text text;
    identify_hypervisor();
    before = (struct machine){.cpu = cpu, .hypervisor = hypervisor, .vcpus = 2};
    before.hypervisor.build = 22380479;
    before.cpu.microcode = 0x2b000461;
    before.xstate.offered = 0xe7;
    before.tsc_hz = 2400000000;
    now = before;
    text_start(&text, buffer, sizeof(buffer));
    now.tsc_hz = 2390000000;
    assert_false(machine_changes(&before, &now, &text));
    assert_string_equal(buffer, "");
    now.hypervisor.build = 24022510;
    assert_true(machine_changes(&before, &now, &text));
    assert_string_equal(buffer, "build 22380479 is now 24022510");
    text_start(&text, buffer, sizeof(buffer));
    now = before;
    now.cpu.microcode = 0x2b000590;
    now.xstate.offered = 7;
    assert_true(machine_changes(&before, &now, &text));
    assert_string_equal(buffer, "microcode 0x2b000461 is now 0x2b000590; "
                                "what CPUID allows in XCR0 0xe7 is now 0x7");
    text_start(&text, buffer, sizeof(buffer));
    now = before;
    strcpy(now.cpu.brand, "another");
    now.vcpus = 4;
    assert_true(machine_changes(&before, &now, &text));
    assert_non_null(strstr(buffer, "is now \"another\"; vCPUs 2 is now 4"));
    text_start(&text, buffer, sizeof(buffer));
    now = before;
    strcpy(now.hidden, "SMBIOS says VMware");
    assert_true(machine_changes(&before, &now, &text));
    assert_string_equal(buffer,
                        "what tells of a hidden hypervisor \"\" is now \"SMBIOS says VMware\"");
    text_start(&text, buffer, sizeof(buffer));
    now = before;
    now.confidential = CONFIDENTIAL_SEV_SNP;
    assert_true(machine_changes(&now, &before, &text));
    assert_string_equal(buffer, "kind of confidential VM \"SEV-SNP\" is now \"none\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(family_and_model_are_put_together_from_their_parts,
                               make_full_machine),
        cmocka_unit_test_setup(the_vendor_decides_who_takes_vmmcall, make_full_machine),
        cmocka_unit_test_setup(the_brand_loses_its_blanks_on_both_sides, make_full_machine),
        cmocka_unit_test_setup(without_a_brand_the_vendor_stands_for_it, make_full_machine),
        cmocka_unit_test_setup(each_feature_has_its_own_bit, make_full_machine),
        cmocka_unit_test_setup(leaf_seven_is_not_read_where_there_is_none, make_full_machine),
        cmocka_unit_test_setup(nothing_of_an_earlier_processor_stays, make_full_machine),
        cmocka_unit_test_setup(without_the_hypervisor_bit_there_is_none, make_full_machine),
        cmocka_unit_test_setup(each_signature_names_its_hypervisor_and_a_harmless_call,
                               make_full_machine),
        cmocka_unit_test_setup(a_signature_that_nobody_knows_is_kept, make_full_machine),
        cmocka_unit_test_setup(who_stands_behind_the_leaves_of_another_is_found, make_full_machine),
        cmocka_unit_test_setup(who_is_first_is_not_replaced_by_one_further_up, make_full_machine),
        cmocka_unit_test_setup(vmware_is_called_only_as_it_offers, make_full_machine),
        cmocka_unit_test_setup(only_those_who_offer_it_are_asked_for_the_frequency,
                               make_full_machine),
        cmocka_unit_test_setup(a_full_machine_has_every_component_and_its_size, make_full_machine),
        cmocka_unit_test_setup(hidden_xsave_leaves_sse, make_full_machine),
        cmocka_unit_test_setup(a_missing_leaf_leaves_sse, make_full_machine),
        cmocka_unit_test_setup(hidden_avx_leaves_sse_even_where_its_state_is_offered,
                               make_full_machine),
        cmocka_unit_test_setup(hidden_avx512_leaves_avx, make_full_machine),
        cmocka_unit_test_setup(avx512_without_its_whole_state_leaves_avx, make_full_machine),
        cmocka_unit_test_setup(state_that_stands_on_missing_state_is_not_wanted, make_full_machine),
        cmocka_unit_test_setup(half_a_pair_is_not_wanted, make_full_machine),
        cmocka_unit_test_setup(the_area_holds_all_components_whatever_ecx_says, make_full_machine),
        cmocka_unit_test_setup(what_cpuid_describes_as_it_cannot_be_is_not_used, make_full_machine),
        cmocka_unit_test_setup(components_do_not_overlap, make_full_machine),
        cmocka_unit_test_setup(a_component_without_a_name_is_wanted_with_its_size,
                               make_full_machine),
        cmocka_unit_test(components_have_intels_names),
        cmocka_unit_test(a_component_without_a_name_goes_by_its_number),
        cmocka_unit_test_setup(what_changed_of_a_machine_is_named, make_full_machine),
    };
    return cmocka_run_group_tests(tests, NULL, use_real_cpuid);
}
