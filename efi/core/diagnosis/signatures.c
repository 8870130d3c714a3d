/* Known bugs of hypervisors, emulators and processors, first match wins. */
#include "signatures.h"
#include "../window/step.h"
#include <stddef.h>

#define SSE       COMPONENT_BIT(COMPONENT_SSE)
#define AVX       COMPONENT_BIT(COMPONENT_AVX)
#define OPMASK    COMPONENT_BIT(COMPONENT_OPMASK)
#define ZMM_HI256 COMPONENT_BIT(COMPONENT_ZMM_HI256)
#define HI16_ZMM  COMPONENT_BIT(COMPONENT_HI16_ZMM)

#define LOW_16       0x0000ffffu
#define HIGH_16      0xffff0000u
#define ALL_32       (LOW_16 | HIGH_16)
#define LAST_4       0xf0000000u
#define ONE_DOES     FORM_COUNT
#define BITS_511_256 UINT64_C(0xffffffff00000000)
#define BITS_511_128 UINT64_C(0xffffffffffff0000)
#define BITS_511_0   UINT64_MAX
#define BITS_255_128 UINT64_C(0x00000000ffff0000)
#define BITS_255_0   UINT64_C(0x00000000ffffffff)
#define BITS_127_0   UINT64_C(0x000000000000ffff)

#define EVERYTHING UINT64_MAX
#define X87_TAG    UINT64_C(0x000000ff00000000)

static const struct signature signatures[] = {
    {.name = "ESXi 8.0.2: AVX-256 host code, zmm not saved",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE | AVX,
     .vectors = LOW_16,
     .whole_from = ONE_DOES,
     .low.zeroed = BITS_511_256,
     .meaning = "Bits 511:256 of zmm0-15 came back zero, the low 256 bits intact: code beneath the "
                "guest wrote these registers with 256-bit AVX instructions and saved only ymm. "
                "This is what ESXi 8.0.2 with vSAN did to guests (RabbitMQ and Erlang crashed). "
                "A ZMM_Hi256 component put back in its INIT state looks the same.",
     .reference = "erlang/otp issues 8904 and 9437; fixed in ESXi 8.0.3 (build 24022510)",
     .cure = "Compare the build of the host with 24022510 (ESXi 8.0.3), which is not known to do "
             "this, and patch the host if it is older.",
     .cure_on = HYPERVISOR_VMWARE},
    {.name = "VZEROUPPER not undone",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE,
     .vectors = LOW_16,
     .low.zeroed = BITS_511_128,
     .meaning =
         "Bits 511:128 of zmm0-15 came back zero: code beneath the guest executed VZEROUPPER "
         "or saved and restored only xmm.",
     .reference = "DynamoRIO issue 3812"},
    {.name = "AVX-128 host code, ymm not saved",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE,
     .vectors = LOW_16,
     .whole_from = ONE_DOES,
     .low.zeroed = BITS_511_128,
     .meaning = "Bits 511:128 of some of zmm0-15 came back zero, the low 128 bits intact: code "
                "beneath the guest wrote these registers with 128-bit AVX instructions and saved "
                "only xmm. It was not VZEROUPPER, which clears all sixteen.",
     .reference = "none known in the field"},
    {.name = "AVX upper halves lost",
     .corruption = CLASS_ZEROED,
     .form = FORM_YMM,
     .seen = SSE | ZMM_HI256,
     .vectors = LOW_16,
     .whole_from = FORM_ZMM,
     .low.zeroed = BITS_255_128,
     .meaning = "Bits 255:128 came back zero, and nothing else. Where zmm registers were looked "
                "at, the AVX component was left out of a save or put back in its INIT state: no "
                "instruction does that. Elsewhere code beneath the guest may have saved xmm where "
                "it had to save ymm, or executed VZEROUPPER.",
     .reference = "Bareflank issue 282; DynamoRIO issue 3812"},
    {.name = "VZEROALL or vector state reset",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = HI16_ZMM,
     .vectors = LOW_16,
     .low.zeroed = BITS_511_0,
     .meaning = "zmm0-15 came back zero as a whole: VZEROALL beneath the guest, or SSE, AVX and "
                "ZMM_Hi256 put back in their INIT state.",
     .reference = "QEMU commit 8647c52e9504; gem5 issue 434"},
    {.name = "everything in INIT",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .vectors = ALL_32,
     .low.zeroed = BITS_511_0,
     .high.zeroed = BITS_511_0,
     .opmask_zeroed = UINT64_MAX,
     .mxcsr = MXCSR_INTACT_OR_INIT,
     .rest = EVERYTHING,
     .meaning = "All components of the extended state came back in their INIT state: the state was "
                "lost as a whole, or restored from an area whose header says that nothing in it is "
                "in use.",
     .reference = "gem5 issue 296; QEMU commit 8647c52e9504"},
    {.name = "everything above SSE in INIT",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE,
     .vectors = ALL_32,
     .low.zeroed = BITS_511_128,
     .high.zeroed = BITS_511_0,
     .opmask_zeroed = UINT64_MAX,
     .rest = EVERYTHING & ~XCR0_X87,
     .meaning = "x87 and SSE came back intact, and all other components in their INIT state: the "
                "state was saved by FXSAVE, or as an area whose header was lost.",
     .reference = "gem5 issue 296; QEMU commit 8647c52e9504"},
    {.name = "AVX-512 in INIT",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE | AVX,
     .vectors = ALL_32,
     .low.zeroed = BITS_511_256,
     .high.zeroed = BITS_511_0,
     .opmask_zeroed = UINT64_MAX,
     .meaning = "SSE and AVX came back intact, and opmask, ZMM_Hi256 and Hi16_ZMM in their INIT "
                "state: what saves the state beneath the guest does not know of AVX-512.",
     .reference = "gem5 issue 296; QEMU commit 8647c52e9504"},
    {.name = "Hi16_ZMM reset",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE | AVX | ZMM_HI256 | OPMASK,
     .vectors = HIGH_16,
     .high.zeroed = BITS_511_0,
     .meaning = "zmm16-31 came back zero as a whole, the rest intact: the Hi16_ZMM component was "
                "left out of a save or put back in its INIT state.",
     .reference = "QEMU commit 8647c52e9504"},
    {.name = "end of the XSAVE area lost",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = ZMM_HI256,
     .vectors = LAST_4,
     .high.zeroed = BITS_511_0,
     .meaning = "zmm28-31 came back zero as a whole, the rest intact. They are the last 256 bytes "
                "of an XSAVE area in the standard format, which is that much longer than one in "
                "the compacted format: a copy of the area took the wrong size.",
     .reference = "asterinas/asterinas issue 3920"},
    {.name = "AVX data of the host above xmm",
     .corruption = CLASS_FOREIGN,
     .form = FORM_YMM,
     .seen = SSE,
     .vectors = LOW_16,
     .whole_from = ONE_DOES,
     .low = {.zeroed = BITS_511_256, .data = BITS_255_128},
     .meaning = "The low 128 bits came back intact, with data above them that no guest made, and "
                "zeros above bit 255: code beneath the guest uses 256-bit AVX, and saved the state "
                "by FXSAVE, which knows of xmm alone. What it left may be secret.",
     .reference = "rcore-os/tgoskits issue 1329"},
    {.name = "AVX-256 host code, nothing saved",
     .corruption = CLASS_FOREIGN,
     .form = FORM_ZMM,
     .vectors = LOW_16,
     .whole_from = ONE_DOES,
     .low = {.zeroed = BITS_511_256, .data = BITS_255_0},
     .meaning = "The low 256 bits hold data that no guest made, with zeros above: code beneath the "
                "guest wrote these registers with 256-bit instructions and saved nothing. What it "
                "left may be secret.",
     .reference = "HyperPlatform issue 5"},
    {.name = "EVEX-256 host code, nothing saved",
     .corruption = CLASS_FOREIGN,
     .form = FORM_ZMM,
     .vectors = ALL_32,
     .whole_from = ONE_DOES,
     .low = {.zeroed = BITS_511_256, .data = BITS_255_0},
     .high = {.zeroed = BITS_511_256, .data = BITS_255_0},
     .meaning = "The low 256 bits hold data that no guest made, with zeros above, in zmm16-31 too, "
                "which only EVEX instructions reach: code beneath the guest copied memory with "
                "ymm16 and up, as memmove of a C library does, and saved nothing. What it left may "
                "be secret.",
     .reference = "frida/frida-gum issue 1137; DynamoRIO issue 7511"},
    {.name = "opmask upper 48 bits lost",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .opmask_zeroed = UINT64_C(0xffffffffffff0000),
     .some_opmasks = true,
     .meaning = "Only bits 15:0 of the opmasks survived: they were saved with KMOVW, as if the "
                "processor had no AVX512BW.",
     .reference = "none known in the field"},
    {.name = "opmask upper 32 bits lost",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .opmask_zeroed = UINT64_C(0xffffffff00000000),
     .some_opmasks = true,
     .meaning = "Only bits 31:0 of the opmasks survived: they were saved with KMOVD, or by way of "
                "32-bit variables.",
     .reference = "none known in the field"},
    {.name = "opmask reset",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .seen = SSE | AVX,
     .opmask_zeroed = UINT64_MAX,
     .meaning =
         "Opmasks came back zero, the vector registers intact: the opmask component was left "
         "out of a save or put back in its INIT state.",
     .reference = "golang/go issue 49233 (Darwin)"},
    {.name = "opmask cleared beneath the guest",
     .corruption = CLASS_ZEROED,
     .form = FORM_ZMM,
     .opmask_zeroed = UINT64_MAX,
     .some_opmasks = true,
     .meaning = "Some opmasks came back zero and others did not: code beneath the guest used them "
                "and saved nothing. It was not a component put back in its INIT state, which takes "
                "all eight.",
     .reference = "none known in the field"},
    {.name = "xmm cleared beneath the guest",
     .corruption = CLASS_ZEROED,
     .form = FORM_YMM,
     .seen = AVX,
     .vectors = LOW_16,
     .whole_from = ONE_DOES,
     .low.zeroed = BITS_127_0,
     .meaning = "The low 128 bits came back zero, the upper bits are intact: an exit handler was "
                "compiled with SSE, cleared a register and saved nothing. Where all sixteen are "
                "zero, an SSE component put back in its INIT state looks the same.",
     .reference = "HAXM issue 85; HyperPlatform issue 5"},
    {.name = "xmm written beneath the guest",
     .corruption = CLASS_FOREIGN,
     .form = FORM_YMM,
     .seen = AVX,
     .vectors = LOW_16,
     .whole_from = ONE_DOES,
     .low.data = BITS_127_0,
     .in_part = true,
     .meaning = "The low 128 bits hold data that no guest made, the upper bits are intact: an exit "
                "handler was compiled with SSE and saved nothing. What it left may be secret.",
     .reference = "HAXM issue 85; HyperPlatform issue 5"},
    {.name = "stale xmm",
     .corruption = CLASS_STALE,
     .form = FORM_YMM,
     .seen = AVX,
     .vectors = LOW_16,
     .low.data = BITS_127_0,
     .own = true,
     .meaning = "The low 128 bits of all registers went back to what they were in an earlier "
                "round, the upper bits are intact: a lazy restore that came too late, or not at "
                "all.",
     .reference = "golang/go issue 35777"},
    {.name = "old xmm in the place of zeros",
     .corruption = CLASS_GHOST,
     .form = FORM_XMM,
     .vectors = LOW_16,
     .low.data = BITS_127_0,
     .own = true,
     .meaning = "SSE was zero, and all registers came back as they had been in an earlier round: a "
                "save left out what was in its INIT state, and an older image stood there. On an "
                "AMD processor XSAVES does so by erratum 1386.",
     .reference = "AMD erratum 1386"},
    {.name = "x87 tag word FFh",
     .corruption = CLASS_ALTERED,
     .quadword = {.component = XSTATE_X87, .bits = X87_TAG, .value = X87_TAG},
     .meaning = "All x87 registers came back marked as in use, and the rest of x87 intact: the tag "
                "word of FSAVE, FFFFh where all are empty, was put into the place of FXSAVE's, "
                "which has a bit for each that is in use.",
     .reference = "momo5502/sogen issue 1284; rcore-os/tgoskits pull request 1366"},
    {.name = "single step lost",
     .corruption = CLASS_ALTERED,
     .quadword = {.component = AREA_STEP + STEP_SINGLE_STEP, .bits = UINT64_MAX},
     .meaning = "An instruction that exits ran with RFLAGS.TF set, and the #DB that has to come "
                "right behind it never came: what skipped the instruction for the guest made no "
                "debug exception pending. A debugger in the guest runs away there.",
     .reference = "airhv issue 3; HyperPlatform issue 26"},
    {.name = "single step at a wrong place",
     .corruption = CLASS_ALTERED,
     .quadword = {.component = AREA_STEP + STEP_SINGLE_STEP, .bits = UINT64_MAX, .any = true},
     .meaning = "An instruction that exits ran with RFLAGS.TF set, and the #DB came elsewhere than "
                "right behind it: what skipped the instruction left the step, or the shadow of a "
                "MOV to SS, to the next one.",
     .reference = "airhv issue 3; HyperPlatform issues 26 and 72"},
    {.name = "breakpoint lost behind RF",
     .corruption = CLASS_ALTERED,
     .quadword = {.component = AREA_STEP + STEP_BREAKPOINT, .bits = UINT64_MAX},
     .meaning = "An instruction that exits ran with RFLAGS.RF set, and a breakpoint at the next "
                "one was passed over: what skipped the instruction did not clear RF.",
     .reference = "bochs-emu/Bochs issue 215"},
    {.name = "breakpoint in spite of RF",
     .corruption = CLASS_ALTERED,
     .quadword = {.component = AREA_STEP + STEP_BREAKPOINT, .bits = UINT64_MAX, .any = true},
     .meaning = "An instruction that exits ran with RFLAGS.RF set, and the #DB of a breakpoint "
                "came elsewhere than at the next one. At the instruction itself it shows that RF "
                "was lost on the way: a debugger in the guest that goes on from a breakpoint never "
                "comes past it.",
     .reference = "bochs-emu/Bochs issue 215"},
    {.name = "interrupt in the shadow of STI",
     .corruption = CLASS_ALTERED,
     .quadword = {.component = AREA_STEP + STEP_INTERRUPT, .bits = UINT64_MAX, .any = true},
     .meaning = "An instruction that exits stood behind STI with an interrupt pending, and that "
                "came elsewhere than right behind the instruction, or not at all: the shadow of "
                "STI was lost, or lasted too long.",
     .reference = "oxidecomputer/propolis issue 1013"},
    {.name = "MXCSR not kept",
     .corruption = CLASS_ALTERED,
     .mxcsr = MXCSR_CHANGED,
     .meaning = "MXCSR, which sets rounding and exceptions of all floating point, came back "
                "changed: it was reset, or it is somebody else's.",
     .reference = "gVisor issue 5754"},
    {.name = "RFLAGS not kept",
     .corruption = CLASS_ALTERED,
     .rflags = true,
     .meaning =
         "The event left the arithmetic flags alone, the way through the hypervisor did not.",
     .reference = "none known in the field"},
};

#define SIGNATURE_COUNT (sizeof(signatures) / sizeof(signatures[0]))
_Static_assert(SIGNATURE_COUNT <= SIGNATURES_MAX, "a bit for each");

/* Bytes of a vector register, and its quadwords, as the form has them. */
static uint64_t bytes_of(enum form form, uint64_t bytes)
{
    return form == FORM_ZMM ? bytes : bytes & ((UINT64_C(1) << 8 * form_lanes(form)) - 1);
}

static uint8_t lanes_of(uint64_t bytes)
{
    uint8_t lanes = 0;
    for (unsigned int lane = 0; lane < VECTOR_LANES; lane++)
        if (bytes >> 8 * lane & 0xff)
            lanes |= (uint8_t)(1u << lane);
    return lanes;
}

static uint64_t bytes_of_lanes(uint8_t lanes)
{
    uint64_t bytes = 0;
    for (unsigned int lane = 0; lane < VECTOR_LANES; lane++)
        if (lanes >> lane & 1)
            bytes |= UINT64_C(0xff) << 8 * lane;
    return bytes;
}

/*
 * One register against its trace. Data are whole quadwords; of those that a host wrote, zeros may
 * be part. An operand of the event, which was data before, need not show all of it if others do.
 */
static bool register_fits(const struct signature *s, const struct diagnosis *d, uint32_t n)
{
    const struct trace *trace = n < 16 ? &s->low : &s->high;
    const struct vector_damage *damage = &d->evidence.vector[n];
    const uint64_t zeroed = bytes_of(d->form, trace->zeroed);
    const uint8_t place = lanes_of(bytes_of(d->form, trace->data));
    const bool others = d->vectors & ~d->evidence.operands;
    const bool operand = others && d->evidence.operands >> n & 1;
    uint8_t data = trace->data ? damage->lanes[s->corruption] : 0, hit = 0;
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++)
        hit |= damage->lanes[corruption];
    if ((uint8_t)(hit & ~(damage->lanes[CLASS_ZEROED] | data)) || data & ~place)
        return false;
    uint64_t zeros_in_data = damage->zeroed & bytes_of_lanes(place);
    uint64_t zeros_beside = damage->zeroed & ~zeros_in_data;
    if (zeros_in_data != bytes_of_lanes(lanes_of(zeros_in_data)))
        return false; /* a part of a quadword is zero: nobody wrote it there */
    if (zeros_in_data && s->corruption != CLASS_FOREIGN)
        return false;
    if (s->own && data & ~damage->own)
        return false;
    if (operand)
        return !(zeros_beside & ~zeroed);
    bool whole = s->in_part || (data && (hit & place) == place);
    return zeros_beside == zeroed && (!place || whole);
}

/* Data are shown by a register that is no operand, if such were hit: others were cleared. */
static bool data_are_shown(const struct signature *s, const struct diagnosis *d)
{
    const uint32_t others = d->vectors & ~d->evidence.operands;
    if (!others || (!s->low.data && !s->high.data))
        return true;
    for (uint32_t n = 0; n < VECTOR_COUNT; n++)
        if (others >> n & 1 && d->evidence.vector[n].lanes[s->corruption])
            return true;
    return false;
}

static bool vectors_fit(const struct signature *s, const struct diagnosis *d)
{
    const uint32_t needed = d->form >= s->whole_from ? s->vectors & ~d->evidence.operands : 0;
    if (d->vectors & ~s->vectors || (s->vectors && !d->vectors) || needed & ~d->vectors)
        return false;
    for (uint32_t n = 0; n < VECTOR_COUNT; n++)
        if (d->vectors >> n & 1 && !register_fits(s, d, n))
            return false;
    return data_are_shown(s, d);
}

static bool opmasks_fit(const struct signature *s, const struct diagnosis *d)
{
    const uint32_t all = (1u << OPMASK_COUNT) - 1;
    for (uint32_t n = 0; n < OPMASK_COUNT; n++)
        if (d->opmasks >> n & 1 && d->evidence.opmask_zeroed[n] != s->opmask_zeroed)
            return false;
    if (!s->opmask_zeroed)
        return !d->opmasks;
    return s->some_opmasks ? d->opmasks != 0 : d->opmasks == all;
}

static bool control_fits(const struct signature *s, const struct diagnosis *d)
{
    bool mxcsr = s->mxcsr == MXCSR_INTACT_OR_INIT ? !d->mxcsr || d->evidence.mxcsr == MXCSR_MASKS
                                                  : d->mxcsr == (s->mxcsr == MXCSR_CHANGED);
    return mxcsr && d->rflags == s->rflags && !d->general && !d->system &&
           (!d->steps || s->quadword.component >= AREA_STEP);
}

static bool rest_fits(const struct signature *s, const struct diagnosis *d)
{
    const struct quadword_fact *fact = &s->quadword;
    const struct area_difference *found = &d->evidence.quadword;
    const uint64_t reset = s->rest & d->evidence.rest_live;
    if (!fact->bits)
        return d->rest == reset && (d->evidence.rest_reset & reset) == reset;
    return d->evidence.alone && found->component == fact->component &&
           found->offset == fact->offset && !((found->want ^ found->got) & ~fact->bits) &&
           (fact->any || (found->got & fact->bits) == fact->value);
}

/* Of the components that the form has. */
static bool was_seen(const struct signature *s, const struct diagnosis *d)
{
    static const uint32_t components[FORM_COUNT] = {SSE, SSE | AVX,
                                                    SSE | AVX | OPMASK | ZMM_HI256 | HI16_ZMM};
    return !(s->seen & components[d->form] & d->evidence.init_components);
}

static bool fits(const struct signature *s, const struct diagnosis *d)
{
    return s->corruption == d->corruption && d->form >= s->form && was_seen(s, d) &&
           vectors_fit(s, d) && opmasks_fit(s, d) && control_fits(s, d) && rest_fits(s, d);
}

const struct signature *signature_find(const struct diagnosis *diagnosis)
{
    for (size_t n = 0; n < SIGNATURE_COUNT; n++)
        if (fits(&signatures[n], diagnosis))
            return &signatures[n];
    return NULL;
}

const char *class_meaning(enum corruption_class corruption)
{
    static const char *const meanings[CLASS_COUNT] = {
        [CLASS_ZEROED] = "Register contents came back zero: state that was not saved, or that was "
                         "put back in its INIT state.",
        [CLASS_STALE] = "A register went back to a value of its own that an earlier round had put "
                        "there: an old copy of the state was restored.",
        [CLASS_OTHER_VCPU] = "A register holds a value of another vCPU of this machine: states of "
                             "two vCPUs were mixed up.",
        [CLASS_OTHER_RUN] = "A register holds a value of another run of zmmtest: state leaks "
                            "between virtual machines, or survives a reboot. Treat it as a "
                            "security problem.",
        [CLASS_SWAPPED] = "A register holds what belongs into another register or lane of the same "
                          "round: saved and restored in different orders or at wrong offsets.",
        [CLASS_BIT_FLIP] = "A single bit changed: suspect the hardware (processor, cache, memory) "
                           "before the software.",
        [CLASS_FOREIGN] = "A register holds data that no run of zmmtest made: something beneath "
                          "used it and left its own data, which may be secret.",
        [CLASS_GHOST] = "A component that was in its INIT state came back non-zero: old contents "
                        "were restored where nothing was saved.",
        [CLASS_ALTERED] = "Control state or an integer register changed across an event that "
                          "leaves it alone.",
        [CLASS_FAULT] = "An instruction that is legal here raised an exception: state that it "
                        "needs (XCR0, CR0.TS, XFD) was changed beneath the guest.",
    };
    return meanings[corruption];
}

uint32_t signature_number(const struct signature *signature)
{
    return (uint32_t)(signature - signatures);
}

const struct signature *signature_of_number(uint32_t number)
{
    return number < SIGNATURE_COUNT ? &signatures[number] : NULL;
}
