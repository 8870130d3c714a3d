/* The table of faults, and when one strikes. */
#include "../../efi/platform/instructions.h"
#include "../../efi/core/text.h"
#include "area.h"
#include "faultvisor.h"
#include "vmx.h"
#include <string.h>

#define VECTOR_COMPONENTS 0xe6u /* SSE, AVX, opmask, ZMM_Hi256, Hi16_ZMM */
#define X87_TOO           (VECTOR_COMPONENTS | XCR0_X87)

void fault_xsave(void *area, uint64_t components);
void fault_xrstor(const void *area, uint64_t components);
void fault_avx256(void *scratch);
void fault_avx256_one(void *scratch);
void fault_vzeroupper(void);
void fault_vzeroall(void);
void fault_hi16_zeroed(void);
void fault_opmask_one(void);
void fault_opmask_high(void);
void fault_xmm_cleared(void);

/* A fault is one of: code that runs, an edit of the saved state, a change outside of it. */
struct planted_fault {
    const char *name;
    void (*code)(void);
    void (*code_with_scratch)(void *scratch);
    bool (*edit)(struct host_cpu *cpu);   /* of cpu->area; false: nothing to do at this exit */
    bool (*change)(struct host_cpu *cpu); /* false: nothing to do */
    /* Whether zmmtest looks at it in this round. No function: where all vector state is live. */
    bool (*looked_at)(struct host_cpu *cpu);
    bool of_x87;  /* which is left alone otherwise */
    bool on_init; /* strikes where a component is in its INIT state: edit or change says where */
    uint32_t not_columns; /* there zmmtest does not look: the event may change it itself */
    const char *corruption, *component, *registers, *bits, *signature; /* what zmmtest must say */
};

/* A round by XSAVE images: zmmtest gives DR2 a pattern in those only. */
static bool is_by_image(struct host_cpu *cpu)
{
    (void)cpu;
    return read_dr(2) != 0;
}

static bool edit_flip(struct host_cpu *cpu)
{
    *area_lane(cpu->area, 11, 4) ^= UINT64_C(1) << 44;
    return true;
}

static bool edit_init_zmm_hi256(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_ZMM_HI256);
    return true;
}

static bool edit_init_hi16(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_HI16_ZMM);
    return true;
}

static bool edit_init_opmask(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_OPMASK);
    return true;
}

static bool edit_init_sse(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_SSE);
    return true;
}

static bool edit_init_x87(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_X87);
    return true;
}

static bool x87_is_live(struct host_cpu *cpu)
{
    return *area_in_use(cpu->area) & XCR0_X87 && *area_x87_control(cpu->area) != X87_CONTROL_INIT;
}

static bool edit_x87(struct host_cpu *cpu)
{
    *area_x87(cpu->area, 3) ^= UINT64_MAX;
    return true;
}

static bool edit_fcw(struct host_cpu *cpu)
{
    *area_x87_control(cpu->area) ^= 0x0c00; /* rounding control */
    return true;
}

static bool edit_init_avx(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_AVX);
    return true;
}

static atomic_flag earlier_lock = ATOMIC_FLAG_INIT;

static void lock_earlier(void)
{
    while (atomic_flag_test_and_set_explicit(&earlier_lock, memory_order_acquire))
        cpu_pause();
}

static void unlock_earlier(void)
{
    atomic_flag_clear_explicit(&earlier_lock, memory_order_release);
}

/* All vector state from another area; MXCSR stays, it is a fault of its own. */
static bool edit_copy(struct host_cpu *cpu, const struct host_cpu *from)
{
    uint32_t mxcsr;
    memcpy(&mxcsr, cpu->area + AREA_MXCSR, sizeof(mxcsr));
    lock_earlier();
    bool valid = from->earlier_valid;
    if (valid)
        memcpy(cpu->area, from->earlier, sizeof(cpu->area));
    unlock_earlier();
    memcpy(cpu->area + AREA_MXCSR, &mxcsr, sizeof(mxcsr));
    return valid;
}

/* A state of the same round pattern would differ by no more than what a copy had loaded. */
static bool edit_stale(struct host_cpu *cpu)
{
    if (*area_lane(cpu->earlier, 1, 0) == *area_lane(cpu->area, 1, 0))
        return false;
    return edit_copy(cpu, cpu);
}

static bool edit_other_vcpu(struct host_cpu *cpu)
{
    for (uint32_t n = 0; n < cpu_count; n++)
        if (cpus[n] && cpus[n] != cpu)
            return edit_copy(cpu, cpus[n]);
    return false;
}

static bool edit_swapped(struct host_cpu *cpu)
{
    area_swap(cpu->area, 2, 3);
    return true;
}

static bool edit_foreign(struct host_cpu *cpu)
{
    static const char text[64] = "Memory of a host process: password=hunter2, and so on and on.";
    for (unsigned int lane = 0; lane < 8; lane++)
        memcpy(area_lane(cpu->area, 8, lane), text + 8 * (size_t)lane, 8);
    return true;
}

/* Something where a component was in its INIT state; false where it was not. */
static bool edit_ghost_opmask(struct host_cpu *cpu)
{
    if (*area_opmask(cpu->area, 0) || *area_opmask(cpu->area, 5))
        return false;
    *area_opmask(cpu->area, 5) = UINT64_C(0x6b6b6b6b6b6b6b6b);
    *area_in_use(cpu->area) |= UINT64_C(1) << XSTATE_OPMASK;
    return true;
}

/* x87 is looked at in few rounds, and is in its INIT state in all others. */
static bool edit_ghost_x87(struct host_cpu *cpu)
{
    if (!is_by_image(cpu) || *area_in_use(cpu->area) & XCR0_X87)
        return false;
    *area_x87(cpu->area, 2) = UINT64_C(0x6969696969696969);
    *area_in_use(cpu->area) |= XCR0_X87;
    return true;
}

static bool edit_ghost_sse(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 0, 0) || *area_lane(cpu->area, 9, 0))
        return false;
    *area_lane(cpu->area, 9, 0) = *area_lane(cpu->area, 9, 1) = UINT64_C(0x6565656565656565);
    *area_in_use(cpu->area) |= XCR0_SSE;
    return true;
}

static bool edit_ghost_avx(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 0, 2) || *area_lane(cpu->area, 9, 2))
        return false;
    *area_lane(cpu->area, 9, 2) = *area_lane(cpu->area, 9, 3) = UINT64_C(0x6666666666666666);
    *area_in_use(cpu->area) |= XCR0_AVX;
    return true;
}

static bool edit_ghost_zmm_hi256(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 0, 4) || *area_lane(cpu->area, 9, 4))
        return false;
    for (unsigned int lane = 4; lane < 8; lane++)
        *area_lane(cpu->area, 9, lane) = UINT64_C(0x6767676767676767) + lane;
    *area_in_use(cpu->area) |= UINT64_C(1) << XSTATE_ZMM_HI256;
    return true;
}

static bool edit_ghost_hi16(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 16, 0) || *area_lane(cpu->area, 20, 0))
        return false;
    for (unsigned int lane = 0; lane < 8; lane++)
        *area_lane(cpu->area, 20, lane) = UINT64_C(0x6868686868686868) + lane;
    *area_in_use(cpu->area) |= UINT64_C(1) << XSTATE_HI16_ZMM;
    return true;
}

static bool edit_mxcsr(struct host_cpu *cpu)
{
    cpu->area[AREA_MXCSR + 1] ^= 0x20; /* bit 13: rounding control */
    return true;
}

static bool change_gpr(struct host_cpu *cpu)
{
    cpu->guest->r[12] = UINT64_C(0x00c0ffee0badf00d);
    return true;
}

static bool change_rflags(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) ^ 1); /* CF */
    return true;
}

static bool always(struct host_cpu *cpu)
{
    (void)cpu;
    return true;
}

static bool change_dr2(struct host_cpu *cpu)
{
    (void)cpu;
    write_dr(2, read_dr(2) ^ 0x80);
    return true;
}

static bool change_xcr0(struct host_cpu *cpu)
{
    (void)cpu;
    xsetbv0(xgetbv0() & ~XCR0_AVX512);
    return true;
}

/* RDPKRU and WRPKRU need CR4.PKE, which the host does without. */
static uint32_t exchange_pkru(bool write, uint32_t value)
{
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_PROTECTION_KEYS);
    uint32_t before = read_pkru();
    if (write)
        write_pkru(value);
    write_cr4(cr4);
    return before;
}

static bool pkru_is_live(struct host_cpu *cpu)
{
    return xgetbv0() & XCR0_PKRU && is_by_image(cpu) && exchange_pkru(false, 0) != 0;
}

static bool change_pkru(struct host_cpu *cpu)
{
    (void)cpu;
    (void)exchange_pkru(true, exchange_pkru(false, 0) ^ 0x30);
    return true;
}

static bool change_pkru_to_init(struct host_cpu *cpu)
{
    (void)cpu;
    (void)exchange_pkru(true, 0);
    return true;
}

static bool change_pkru_from_init(struct host_cpu *cpu)
{
    if (!(xgetbv0() & XCR0_PKRU) || !is_by_image(cpu) || exchange_pkru(false, 0) != 0)
        return false;
    (void)exchange_pkru(true, 0x5550);
    return true;
}

#define COLUMN_BIT(column) (1u << (column))
#define UNDEFINED_FLAGS                                                                            \
    (COLUMN_BIT(COLUMN_HYPERCALL) | COLUMN_BIT(COLUMN_BACKDOOR) | COLUMN_BIT(COLUMN_MOV_DR) |      \
     COLUMN_BIT(COLUMN_MOV_CR))
/*
 * A copy runs with all components live only, as its register holds data; and the few mixed rounds
 * of cold pages seldom come to a page that is new.
 */
#define NOT_MIXED                                                                                  \
    (COLUMN_BIT(COLUMN_COPY) | COLUMN_BIT(COLUMN_COLD_PAGE) | COLUMN_BIT(COLUMN_COLD_XSAVE))
/* Of the rounds by images there are too few for what exits by chance. */
#define NOT_IMAGES     (NOT_MIXED | COLUMN_BIT(COLUMN_PAUSE) | COLUMN_BIT(COLUMN_APIC))
#define ALL_COMPONENTS "sse,avx,opmask,zmm_hi256,hi16_zmm"
#define ESXI_SIGNATURE "ESXi 8.0.2: AVX-256 host code, zmm not saved"

static const struct planted_fault faults[] = {
    {.name = "avx256",
     .code_with_scratch = fault_avx256,
     .corruption = "zeroed",
     .component = "zmm_hi256",
     .registers = "zmm0-15",
     .bits = "511:256",
     .signature = ESXI_SIGNATURE},
    {.name = "avx256-one",
     .code_with_scratch = fault_avx256_one,
     .corruption = "zeroed",
     .component = "zmm_hi256",
     .registers = "zmm5",
     .bits = "511:256",
     .signature = ESXI_SIGNATURE},
    {.name = "vzeroupper",
     .code = fault_vzeroupper,
     .corruption = "zeroed",
     .component = "avx,zmm_hi256",
     .registers = "zmm0-15",
     .bits = "511:128",
     .signature = "VZEROUPPER not undone"},
    {.name = "vzeroall",
     .code = fault_vzeroall,
     .corruption = "zeroed",
     .component = "sse,avx,zmm_hi256",
     .registers = "zmm0-15",
     .bits = "511:0",
     .signature = "VZEROALL or vector state reset"},
    {.name = "hi16-zeroed",
     .code = fault_hi16_zeroed,
     .corruption = "zeroed",
     .component = "hi16_zmm",
     .registers = "zmm16-31",
     .bits = "511:0",
     .signature = "Hi16_ZMM reset"},
    {.name = "opmask-one",
     .code = fault_opmask_one,
     .corruption = "zeroed",
     .component = "opmask",
     .registers = "k3",
     .bits = "63:0",
     .signature = "opmask reset"},
    {.name = "opmask-high",
     .code = fault_opmask_high,
     .corruption = "zeroed",
     .component = "opmask",
     .registers = "k0-7",
     .bits = "63:16",
     .signature = "opmask upper 48 bits lost"},
    {.name = "xmm",
     .code = fault_xmm_cleared,
     .corruption = "zeroed",
     .component = "sse",
     .registers = "zmm7",
     .bits = "127:0",
     .signature = "xmm cleared beneath the guest"},
    {.name = "flip",
     .edit = edit_flip,
     .corruption = "bit-flip",
     .component = "zmm_hi256",
     .registers = "zmm11",
     .bits = "300",
     .signature = "none"},
    {.name = "init-zmm_hi256",
     .edit = edit_init_zmm_hi256,
     .corruption = "zeroed",
     .component = "zmm_hi256",
     .registers = "zmm0-15",
     .bits = "511:256",
     .signature = ESXI_SIGNATURE},
    {.name = "init-hi16",
     .edit = edit_init_hi16,
     .corruption = "zeroed",
     .component = "hi16_zmm",
     .registers = "zmm16-31",
     .bits = "511:0",
     .signature = "Hi16_ZMM reset"},
    {.name = "init-opmask",
     .edit = edit_init_opmask,
     .corruption = "zeroed",
     .component = "opmask",
     .registers = "k0-7",
     .bits = "63:0",
     .signature = "opmask reset"},
    {.name = "init-avx",
     .edit = edit_init_avx,
     .corruption = "zeroed",
     .component = "avx",
     .registers = "zmm0-15",
     .bits = "255:128",
     .signature = "AVX upper halves lost"},
    {.name = "init-sse",
     .edit = edit_init_sse,
     .corruption = "zeroed",
     .component = "sse",
     .registers = "zmm0-15",
     .bits = "127:0",
     .signature = "xmm cleared beneath the guest"},
    {.name = "init-x87",
     .edit = edit_init_x87,
     .of_x87 = true,
     .looked_at = x87_is_live,
     .not_columns = NOT_IMAGES,
     .corruption = "zeroed",
     .component = "x87",
     .registers = "x87",
     .bits = "63:0",
     .signature = "none"},
    {.name = "x87",
     .edit = edit_x87,
     .of_x87 = true,
     .looked_at = x87_is_live,
     .not_columns = NOT_IMAGES,
     .corruption = "foreign",
     .component = "x87",
     .registers = "x87",
     .bits = "63:0",
     .signature = "none"},
    {.name = "fcw",
     .edit = edit_fcw,
     .of_x87 = true,
     .looked_at = x87_is_live,
     .not_columns = NOT_IMAGES,
     .corruption = "altered",
     .component = "x87",
     .registers = "x87",
     .bits = "11:10",
     .signature = "none"},
    {.name = "stale",
     .edit = edit_stale,
     .corruption = "stale",
     .component = ALL_COMPONENTS,
     .registers = "zmm0-31,k0-7",
     .bits = "511:0,63:0",
     .signature = "none"},
    {.name = "other-vcpu",
     .edit = edit_other_vcpu,
     .corruption = "other-vcpu",
     .component = ALL_COMPONENTS,
     .registers = "zmm0-31,k0-7",
     .bits = "511:0,63:0",
     .signature = "none"},
    {.name = "swapped",
     .edit = edit_swapped,
     .corruption = "swapped",
     .component = "sse,avx,zmm_hi256",
     .registers = "zmm2-3",
     .bits = "511:0",
     .signature = "none"},
    {.name = "foreign",
     .edit = edit_foreign,
     .corruption = "foreign",
     .component = "sse,avx,zmm_hi256",
     .registers = "zmm8",
     .bits = "511:0",
     .signature = "none"},
    {.name = "ghost-x87",
     .edit = edit_ghost_x87,
     .of_x87 = true,
     .not_columns = NOT_IMAGES,
     .on_init = true,
     .corruption = "ghost",
     .component = "x87",
     .registers = "x87",
     .bits = "63:0",
     .signature = "none"},
    {.name = "ghost-sse",
     .edit = edit_ghost_sse,
     .not_columns = NOT_IMAGES,
     .on_init = true,
     .corruption = "ghost",
     .component = "sse",
     .registers = "zmm9",
     .bits = "127:0",
     .signature = "none"},
    {.name = "ghost-avx",
     .edit = edit_ghost_avx,
     .not_columns = NOT_MIXED,
     .on_init = true,
     .corruption = "ghost",
     .component = "avx",
     .registers = "zmm9",
     .bits = "255:128",
     .signature = "none"},
    {.name = "ghost-opmask",
     .edit = edit_ghost_opmask,
     .not_columns = NOT_MIXED,
     .on_init = true,
     .corruption = "ghost",
     .component = "opmask",
     .registers = "k5",
     .bits = "63:0",
     .signature = "none"},
    {.name = "ghost-zmm_hi256",
     .edit = edit_ghost_zmm_hi256,
     .not_columns = NOT_MIXED,
     .on_init = true,
     .corruption = "ghost",
     .component = "zmm_hi256",
     .registers = "zmm9",
     .bits = "511:256",
     .signature = "none"},
    {.name = "ghost-hi16",
     .edit = edit_ghost_hi16,
     .not_columns = NOT_MIXED,
     .on_init = true,
     .corruption = "ghost",
     .component = "hi16_zmm",
     .registers = "zmm20",
     .bits = "511:0",
     .signature = "none"},
    {.name = "mxcsr",
     .edit = edit_mxcsr,
     .corruption = "altered",
     .component = "mxcsr",
     .registers = "mxcsr",
     .bits = "13",
     .signature = "MXCSR not kept"},
    {.name = "gpr",
     .change = change_gpr,
     .corruption = "altered",
     .component = "gpr",
     .registers = "r12",
     .bits = "63:0",
     .signature = "none"},
    {.name = "rflags",
     .change = change_rflags,
     .not_columns = UNDEFINED_FLAGS,
     .corruption = "altered",
     .component = "rflags",
     .registers = "rflags",
     .bits = "0",
     .signature = "RFLAGS not kept"},
    {.name = "dr2",
     .change = change_dr2,
     .looked_at = is_by_image,
     .not_columns = NOT_IMAGES,
     .corruption = "altered",
     .component = "dr2",
     .registers = "dr2",
     .bits = "7",
     .signature = "none"},
    {.name = "xcr0",
     .change = change_xcr0,
     .looked_at = always,
     .corruption = "altered",
     .component = "xcr0",
     .registers = "xcr0",
     .bits = "7:5",
     .signature = "none"},
    {.name = "pkru",
     .change = change_pkru,
     .looked_at = pkru_is_live,
     .not_columns = NOT_IMAGES,
     .corruption = "altered",
     .component = "pkru",
     .registers = "pkru",
     .bits = "5:4",
     .signature = "none"},
    {.name = "init-pkru",
     .change = change_pkru_to_init,
     .looked_at = pkru_is_live,
     .not_columns = NOT_IMAGES,
     .corruption = "zeroed",
     .component = "pkru",
     .registers = "pkru",
     .bits = "63:0",
     .signature = "none"},
    {.name = "ghost-pkru",
     .change = change_pkru_from_init,
     .not_columns = NOT_IMAGES,
     .on_init = true,
     .corruption = "ghost",
     .component = "pkru",
     .registers = "pkru",
     .bits = "63:0",
     .signature = "none"},
};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

const struct planted_fault *fault_find(const char *name, size_t length)
{
    for (size_t n = 0; n < FAULT_COUNT; n++)
        if (strlen(faults[n].name) == length && memcmp(faults[n].name, name, length) == 0)
            return &faults[n];
    return NULL;
}

void faults_list(struct text *text)
{
    text_add(text, "none");
    for (size_t n = 0; n < FAULT_COUNT; n++)
        text_add(text, ", %s", faults[n].name);
}

static bool strikes_here(struct host_cpu *cpu)
{
    const struct planted_fault *fault = plan.fault;
    return fault->on_init || (fault->looked_at ? fault->looked_at(cpu) : area_all_live(cpu->area));
}

/* Runs the fault on the guest's state; true if that changed anything. */
static bool strike(struct host_cpu *cpu)
{
    const struct planted_fault *fault = plan.fault;
    const uint64_t components = fault->of_x87 ? X87_TOO : VECTOR_COMPONENTS;
    fault_xsave(cpu->area, components);
    if (!strikes_here(cpu))
        return false;
    if (fault->change)
        return fault->change(cpu);
    memcpy(cpu->after, cpu->area, sizeof(cpu->after)); /* the state before, for now */
    if (fault->code)
        fault->code();
    else if (fault->code_with_scratch)
        fault->code_with_scratch(cpu->scratch);
    else if (!fault->edit(cpu))
        return false;
    else
        fault_xrstor(cpu->area, components);
    fault_xsave(cpu->area, components);
    return memcmp(cpu->area, cpu->after, sizeof(cpu->area)) != 0;
}

/* A state to put back later, here or on another vCPU. */
static void keep_as_earlier(struct host_cpu *cpu)
{
    fault_xsave(cpu->area, VECTOR_COMPONENTS);
    if (!area_all_live(cpu->area))
        return;
    lock_earlier();
    memcpy(cpu->earlier, cpu->area, sizeof(cpu->earlier));
    cpu->earlier_valid = true;
    unlock_earlier();
}

/*
 * An exit that no instruction asks for may hit a window before its event, and what is loaded then
 * is overwritten. So only those count that hit the event itself, which the instruction tells: PAUSE
 * and LOOP to it, LOOP to itself or a NOP, the store of a copy (behind its load: zmm0 is live), the
 * store to a page that was never touched, be it by XSAVE.
 */
static enum column column_at(uint64_t rip)
{
    static const struct {
        uint8_t code[6];
        size_t length;
        enum column column;
    } events[] = {
        {{0xf3, 0x90}, 2, COLUMN_PAUSE},
        {{0xe2, 0xfc}, 2, COLUMN_PAUSE},
        {{0xe2, 0xfe}, 2, COLUMN_HOLD},
        {{0x90, 0xe2, 0xfd}, 3, COLUMN_TIMER},
        {{0xe2, 0xfd}, 2, COLUMN_TIMER},
        {{0x0f, 0x1f, 0x00, 0xe2, 0xfb}, 5, COLUMN_IPI},
        {{0xe2, 0xfb}, 2, COLUMN_IPI},
        {{0x62, 0xf1, 0xfe, 0x48, 0x7f, 0x07}, 6, COLUMN_COPY},
        {{0x62, 0xf1, 0xfd, 0x48, 0x7f, 0x07}, 6, COLUMN_COLD_PAGE},
        {{0x48, 0x0f, 0xae, 0x27}, 4, COLUMN_COLD_XSAVE},
    };
    for (size_t n = 0; n < sizeof(events) / sizeof(events[0]); n++)
        if (memcmp((const void *)rip, events[n].code, events[n].length) == 0) // NOLINT
            return events[n].column;
    return COLUMN_NONE;
}

void faults_consider(struct host_cpu *cpu, enum column column, uint64_t rip)
{
    if (rip < plan.window_start || rip >= plan.window_end)
        return;
    if (column == COLUMN_ASYNCHRONOUS)
        column = column_at(rip);
    if (column == COLUMN_NONE)
        return;
    uint64_t rsp = vmread(GUEST_RSP), number = cpu->seen[column]++;
    /*
     * A round is struck once. RSP tells it from the next one, which uses another pattern; but one
     * of another exit may use the same again before anything else exits.
     */
    if (rsp != cpu->struck_rsp || column != cpu->struck_column)
        cpu->struck_rsp = 0;
    const struct planted_fault *fault = plan.fault;
    if (!fault || plan.every_ms || (xgetbv0() & XCR0_AVX512) != XCR0_AVX512 ||
        !(plan.columns >> column & 1) || fault->not_columns >> column & 1 || number < plan.after ||
        cpu->struck_rsp)
        return;
    if (number % plan.every == plan.every / 2)
        keep_as_earlier(cpu);
    /* Where it finds nothing to change, it tries again at the next exit. */
    if (number < cpu->next_strike[column] || !strike(cpu))
        return;
    cpu->strikes[column]++;
    cpu->next_strike[column] = number + (fault->on_init ? 1 : plan.every);
    cpu->struck_rsp = rsp;
    cpu->struck_column = column;
}

void faults_consider_time(struct host_cpu *cpu, uint64_t rip)
{
    uint64_t now = rdtsc();
    if (!plan.every_ms || !plan.fault || rip < plan.image_start || rip >= plan.image_end ||
        (xgetbv0() & XCR0_AVX512) != XCR0_AVX512)
        return;
    if (!cpu->next_by_time)
        cpu->next_by_time = now + plan.every_ms * plan.tsc_khz;
    if (now < cpu->next_by_time || !strike(cpu))
        return;
    cpu->next_by_time += plan.every_ms * plan.tsc_khz;
    cpu->strikes_by_time++;
}

void faults_reset(void)
{
    atomic_store(&plan.tsc_offset, 0);
    atomic_store(&plan.migrated, false);
    for (uint32_t n = 0; n < cpu_count; n++) {
        if (!cpus[n])
            continue;
        memset(cpus[n]->seen, 0, sizeof(cpus[n]->seen));
        memset(cpus[n]->strikes, 0, sizeof(cpus[n]->strikes));
        memset(cpus[n]->next_strike, 0, sizeof(cpus[n]->next_strike));
        cpus[n]->earlier_valid = false;
        if (cpus[n]->number)
            cpus[n]->pending_count = 0; /* it has been through an INIT since */
        atomic_store(&cpus[n]->forget, true);
        cpus[n]->struck_rsp = 0;
        cpus[n]->next_by_time = cpus[n]->strikes_by_time = 0;
    }
}

void faults_describe(void)
{
    const struct planted_fault *f = plan.fault;
    if (!f) {
        say("faultvisor ev=run fault=none");
        return;
    }
    say("faultvisor ev=run fault=%s class=%s component=%s registers=%s bits=%s signature=\"%s\"",
        f->name, f->corruption, f->component, f->registers, f->bits, f->signature);
}

/* Interrupts of its own zmmtest takes only on vCPUs other than the firmware's. */
static bool looked_at(enum column column)
{
    bool interrupts = column == COLUMN_TIMER || column == COLUMN_HLT || column == COLUMN_IPI;
    return !(plan.fault && plan.fault->not_columns >> column & 1) &&
           !(interrupts && cpu_count == 1);
}

static void report_by_time(const char *name)
{
    uint64_t strikes = 0;
    for (uint32_t n = 0; n < cpu_count; n++)
        strikes += cpus[n] ? cpus[n]->strikes_by_time : 0;
    say("faultvisor ev=strikes-by-time fault=%s every_ms=%lu strikes=%lu", name, plan.every_ms,
        strikes);
}

void faults_report(void)
{
    const char *name = plan.fault ? plan.fault->name : "none";
    if (plan.every_ms) {
        report_by_time(name);
        return;
    }
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        uint64_t seen = 0, strikes = 0;
        for (uint32_t n = 0; n < cpu_count; n++) {
            seen += cpus[n] ? cpus[n]->seen[column] : 0;
            strikes += cpus[n] ? cpus[n]->strikes[column] : 0;
        }
        say("faultvisor ev=strikes fault=%s exit=%s exits=%lu strikes=%lu looked_at=%s", name,
            column_name(column), seen, strikes, looked_at(column) ? "yes" : "no");
    }
}
