/* Known bugs of hypervisors, emulators and processors, first match wins. */
#include "signatures.h"
#include <stddef.h>

#define SSE       COMPONENT_BIT(COMPONENT_SSE)
#define AVX       COMPONENT_BIT(COMPONENT_AVX)
#define OPMASK    COMPONENT_BIT(COMPONENT_OPMASK)
#define ZMM_HI256 COMPONENT_BIT(COMPONENT_ZMM_HI256)
#define HI16_ZMM  COMPONENT_BIT(COMPONENT_HI16_ZMM)
#define RFLAGS    COMPONENT_BIT(COMPONENT_RFLAGS)
#define MXCSR     COMPONENT_BIT(COMPONENT_MXCSR)

#define LOW_16       0x0000ffffu
#define HIGH_16      0xffff0000u
#define BITS_511_256 UINT64_C(0xffffffff00000000)
#define BITS_511_128 UINT64_C(0xffffffffffff0000)
#define BITS_255_128 UINT64_C(0x00000000ffff0000)
#define BITS_127_0   UINT64_C(0x000000000000ffff)

static const struct signature signatures[] = {
    {.name = "ESXi 8.0.2: AVX-256 host code, zmm not saved",
     .corruption = CLASS_ZEROED,
     .components = ZMM_HI256,
     .vectors = LOW_16,
     .vector_bytes = BITS_511_256,
     .meaning = "Bits 511:256 of zmm0-15 came back zero, the low 256 bits intact: code beneath the "
                "guest wrote these registers with 256-bit AVX instructions and saved only ymm. "
                "This is what ESXi 8.0.2 with vSAN did to guests (RabbitMQ and Erlang crashed). "
                "A ZMM_Hi256 component put back in its INIT state looks the same.",
     .reference = "erlang/otp issues 8904 and 9437; fixed in ESXi 8.0.3 (build 24022510)"},
    {.name = "VZEROUPPER not undone",
     .corruption = CLASS_ZEROED,
     .components = AVX | ZMM_HI256,
     .vectors = LOW_16,
     .vector_bytes = BITS_511_128,
     .meaning =
         "Bits 511:128 of zmm0-15 came back zero: code beneath the guest executed VZEROUPPER "
         "or saved and restored only xmm.",
     .reference = "DynamoRIO issue 3812"},
    {.name = "AVX upper halves lost",
     .corruption = CLASS_ZEROED,
     .components = AVX,
     .vectors = LOW_16,
     .vector_bytes = BITS_255_128,
     .meaning =
         "Bits 255:128 came back zero: code beneath the guest saved xmm where it had to save "
         "ymm, or executed VZEROUPPER.",
     .reference = "Bareflank issue 282; DynamoRIO issue 3812"},
    {.name = "VZEROALL or vector state reset",
     .corruption = CLASS_ZEROED,
     .components = SSE | AVX | ZMM_HI256,
     .vectors = LOW_16,
     .vector_bytes = UINT64_MAX,
     .all_registers = true,
     .meaning = "zmm0-15 came back zero as a whole: VZEROALL beneath the guest, or SSE, AVX and "
                "ZMM_Hi256 put back in their INIT state.",
     .reference = "QEMU commit 8647c52e9504; gem5 issue 434"},
    {.name = "Hi16_ZMM reset",
     .corruption = CLASS_ZEROED,
     .components = HI16_ZMM,
     .vectors = HIGH_16,
     .vector_bytes = UINT64_MAX,
     .all_registers = true,
     .meaning = "zmm16-31 came back zero as a whole, the rest intact: the Hi16_ZMM component was "
                "left out of a save or put back in its INIT state.",
     .reference = "QEMU commit 8647c52e9504"},
    {.name = "opmask upper 48 bits lost",
     .corruption = CLASS_ZEROED,
     .components = OPMASK,
     .narrow_bits = UINT64_C(0xffffffffffff0000),
     .meaning = "Only bits 15:0 of the opmasks survived: they were saved with KMOVW, as if the "
                "processor had no AVX512BW.",
     .reference = "none known in the field"},
    {.name = "opmask reset",
     .corruption = CLASS_ZEROED,
     .components = OPMASK,
     .narrow_bits = UINT64_MAX,
     .meaning =
         "Opmasks came back zero, the vector registers intact: the opmask component was left "
         "out of a save or put back in its INIT state.",
     .reference = "golang/go issue 49233 (Darwin)"},
    {.name = "xmm cleared beneath the guest",
     .corruption = CLASS_ZEROED,
     .components = SSE,
     .vectors = LOW_16,
     .vector_bytes = BITS_127_0,
     .form = FORM_YMM,
     .meaning = "The low 128 bits came back zero, the upper bits are intact: an exit handler was "
                "compiled with SSE, cleared a register and saved nothing.",
     .reference = "HAXM issue 85; HyperPlatform issue 5"},
    {.name = "xmm written beneath the guest",
     .corruption = CLASS_FOREIGN,
     .components = SSE,
     .vectors = LOW_16,
     .meaning = "The low 128 bits hold data that no guest made, the upper bits are intact: an exit "
                "handler was compiled with SSE and saved nothing. What it left may be secret.",
     .reference = "HAXM issue 85; HyperPlatform issue 5"},
    {.name = "stale xmm",
     .corruption = CLASS_STALE,
     .components = SSE,
     .vectors = LOW_16,
     .meaning = "The low 128 bits went back to what they were in an earlier round: a lazy restore, "
                "or XSAVES on an AMD processor with erratum 1386.",
     .reference = "AMD erratum 1386; golang/go issue 35777"},
    {.name = "MXCSR not kept",
     .corruption = CLASS_ALTERED,
     .components = MXCSR,
     .meaning = "MXCSR, which sets rounding and exceptions of all floating point, came back "
                "changed: it was reset, or it is somebody else's.",
     .reference = "gVisor issue 5754"},
    {.name = "RFLAGS not kept",
     .corruption = CLASS_ALTERED,
     .components = RFLAGS,
     .meaning =
         "The event left the arithmetic flags alone, the way through the hypervisor did not.",
     .reference = "none known in the field"},
};

#define SIGNATURE_COUNT (sizeof(signatures) / sizeof(signatures[0]))
_Static_assert(SIGNATURE_COUNT <= SIGNATURES_MAX, "a bit for each");

static bool fits(const struct signature *s, const struct diagnosis *d)
{
    return d->uniform && d->form >= s->form && s->corruption == d->corruption &&
           s->components == d->components && !(d->vectors & ~s->vectors) &&
           (!s->vector_bytes || s->vector_bytes == d->vector_bytes) &&
           (!s->narrow_bits || s->narrow_bits == d->narrow_bits) &&
           (!s->all_registers || s->vectors == d->vectors);
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
