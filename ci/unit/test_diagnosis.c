/* Diagnosis: every way in which a register can come back wrong is given its right name. */
#include "../../efi/core/diagnosis/diagnosis.h"
#include "../../efi/core/diagnosis/signatures.h"
#include "../../efi/core/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define RUN        0xbeefu
#define VCPU       3u
#define GENERATION 77u

static struct finding finding;
static struct diagnosis diagnosis;
/* What the windows load: the found state starts as it, and a test alters that. */
static uint64_t (*vector)[VECTOR_LANES];
static uint64_t *opmask, *general;

static void start_in_form(enum form form, uint32_t init_components)
{
    memset(&finding, 0, sizeof(finding));
    finding.key = (struct pattern_key){.run = RUN, .vcpu = VCPU, .form = form};
    finding.generation = GENERATION;
    finding.init_components = init_components;
    finding.result = GENERAL_DIFFER;
    finding.general_changed = UINT64_C(1) << RSP;
    finding.flags_kept = RFLAGS_STATUS | RFLAGS_DIRECTION;
    pattern_fill(&finding.expected, &finding.key, GENERATION, init_components);
    memcpy(&finding.found, &finding.expected, sizeof(finding.found));
    vector = finding.found.vector;
    opmask = finding.found.opmask;
    general = finding.found.general;
}

static int start_anew(void **state)
{
    (void)state;
    start_in_form(FORM_ZMM, 0);
    return 0;
}

static uint64_t value_of(uint32_t run, uint32_t vcpu, uint32_t generation, uint32_t reg,
                         uint32_t lane)
{
    struct pattern_origin origin = {run, vcpu, generation, reg, lane};
    return pattern_make(&origin);
}

static void zero(uint32_t first, uint32_t last, uint32_t first_lane, uint32_t last_lane)
{
    for (uint32_t n = first; n <= last; n++)
        for (uint32_t lane = first_lane; lane <= last_lane; lane++)
            vector[n][lane] = 0;
}

static void expect(enum corruption_class corruption, const char *components, const char *registers,
                   const char *bits, const char *signature)
{
    char buffer[DIAGNOSIS_TEXT];
    diagnose(&finding, &diagnosis);
    assert_string_equal(class_name(diagnosis.corruption), class_name(corruption));
    diagnosis_components(&diagnosis, buffer);
    assert_string_equal(buffer, components);
    diagnosis_registers(&diagnosis, buffer);
    assert_string_equal(buffer, registers);
    diagnosis_bits(&diagnosis, buffer);
    assert_string_equal(buffer, bits);
    const struct signature *known = signature_find(&diagnosis);
    assert_string_equal(known ? known->name : "none", signature ? signature : "none");
}

static void expect_lane(uint32_t number, const char *name, const char *from)
{
    char buffer[DIAGNOSIS_TEXT];
    assert_true(number < diagnosis.lanes_kept);
    lane_register(&diagnosis.lane[number], finding.key.form, buffer);
    assert_string_equal(buffer, name);
    lane_from(&diagnosis.lane[number], finding.key.form, buffer);
    assert_string_equal(buffer, from);
}

static void zeroed_bytes_are_zeroed(void **state)
{
    (void)state;
    vector[7][1] &= ~UINT64_C(0xff0000);
    expect(CLASS_ZEROED, "sse", "zmm7", "87:80", NULL);
    assert_int_equal(diagnosis.lane_count, 1);
    expect_lane(0, "zmm7", "zeroed");
    start_anew(NULL);
    vector[31][7] = 0;
    expect(CLASS_ZEROED, "hi16_zmm", "zmm31", "511:448", NULL);
    start_anew(NULL);
    vector[2][3] &= 0xffffffff;
    expect(CLASS_ZEROED, "avx", "zmm2", "255:224", NULL);
}

#define CLEARED "xmm cleared beneath the guest"

static void only_what_no_processor_without_avx512_has_is_avx512(void **state)
{
    (void)state;
    zero(4, 5, 4, 7);
    opmask[3] = 0;
    diagnose(&finding, &diagnosis);
    assert_true(diagnosis_is_avx512(&diagnosis));
    vector[4][2] = 0;
    diagnose(&finding, &diagnosis);
    assert_false(diagnosis_is_avx512(&diagnosis));
    start_anew(NULL);
    diagnose(&finding, &diagnosis);
    assert_false(diagnosis_is_avx512(&diagnosis));
}

static void a_whole_zeroed_xmm_is_sse(void **state)
{
    (void)state;
    zero(4, 4, 0, 1);
    expect(CLASS_ZEROED, "sse", "zmm4", "127:0", CLEARED);
    assert_int_equal(diagnosis.lane_count, 2);
}

static void an_earlier_value_is_stale(void **state)
{
    (void)state;
    vector[5][6] = value_of(RUN, VCPU, GENERATION - 3, 5, 6);
    expect(CLASS_STALE, "zmm_hi256", "zmm5", "447:384", NULL);
    expect_lane(0, "zmm5", "stale: run beef, vCPU 3, generation 74, zmm5 lane 6");
    assert_int_equal(diagnosis.lane[0].lane, 6);
    assert_true(diagnosis.lane[0].got == vector[5][6]);
    assert_true(diagnosis.lane[0].want == finding.expected.vector[5][6]);
}

static void two_different_stale_registers_are_stale(void **state)
{
    (void)state;
    for (uint32_t lane = 0; lane < 8; lane++) {
        vector[1][lane] = value_of(RUN, VCPU, GENERATION - 1, 1, lane);
        vector[20][lane] = value_of(RUN, VCPU, GENERATION - 2, 20, lane);
    }
    expect(CLASS_STALE, "sse,avx,zmm_hi256,hi16_zmm", "zmm1,zmm20", "511:0", NULL);
    assert_int_equal(diagnosis.lane_count, 16);
    assert_int_equal(diagnosis.lanes_kept, LANES_KEPT);
    expect_lane(7, "zmm1", "stale: run beef, vCPU 3, generation 76, zmm1 lane 7");
}

static void a_stale_value_of_another_register_names_its_origin(void **state)
{
    (void)state;
    vector[5][0] = value_of(RUN, VCPU, GENERATION - 1, 9, 4);
    expect(CLASS_STALE, "sse", "zmm5", "63:0", NULL);
    expect_lane(0, "zmm5", "stale: run beef, vCPU 3, generation 76, zmm9 lane 4");
}

static void a_value_of_another_vcpu_is_known_even_in_the_wrong_register(void **state)
{
    (void)state;
    vector[30][2] = value_of(RUN, VCPU + 1, GENERATION, 30, 2);
    expect(CLASS_OTHER_VCPU, "hi16_zmm", "zmm30", "191:128", NULL);
    expect_lane(0, "zmm30", "other-vcpu: run beef, vCPU 4, generation 77, zmm30 lane 2");
    start_anew(NULL);
    vector[6][0] = value_of(RUN, 1023, 262143, PATTERN_OPMASK + 5, 0);
    expect(CLASS_OTHER_VCPU, "sse", "zmm6", "63:0", NULL);
    expect_lane(0, "zmm6", "other-vcpu: run beef, vCPU 1023, generation 262143, k5");
    start_anew(NULL);
    opmask[2] = value_of(RUN, 0, 5, PATTERN_GENERAL + R12, 0);
    expect(CLASS_OTHER_VCPU, "opmask", "k2", "63:0", NULL);
    expect_lane(0, "k2", "other-vcpu: run beef, vCPU 0, generation 5, r12");
}

static void a_value_of_another_run_is_known_in_its_own_place(void **state)
{
    (void)state;
    vector[5][3] = value_of(0x0001, 9, 1, 5, 3);
    expect(CLASS_OTHER_RUN, "avx", "zmm5", "255:192", NULL);
    expect_lane(0, "zmm5", "other-run: run 0001, vCPU 9, generation 1, zmm5 lane 3");
    start_anew(NULL);
    opmask[7] = value_of(0x1234, VCPU, GENERATION, PATTERN_OPMASK + 7, 0);
    expect(CLASS_OTHER_RUN, "opmask", "k7", "63:0", NULL);
}

static void a_value_of_another_run_in_another_place_is_chance(void **state)
{
    (void)state;
    vector[5][3] = value_of(0x0001, 9, 1, 5, 2);
    expect(CLASS_FOREIGN, "avx", "zmm5", "255:192", NULL);
    expect_lane(0, "zmm5", "foreign");
    start_anew(NULL);
    vector[5][3] = value_of(0x0001, 9, 1, 6, 3);
    expect(CLASS_FOREIGN, "avx", "zmm5", "255:192", NULL);
}

static void values_in_each_others_place_are_swapped(void **state)
{
    (void)state;
    for (uint32_t lane = 0; lane < 8; lane++) {
        vector[1][lane] = finding.expected.vector[2][lane];
        vector[2][lane] = finding.expected.vector[1][lane];
    }
    expect(CLASS_SWAPPED, "sse,avx,zmm_hi256", "zmm1-2", "511:0", NULL);
    expect_lane(1, "zmm1", "swapped: run beef, vCPU 3, generation 77, zmm2 lane 1");
    start_anew(NULL);
    vector[18][0] = finding.expected.vector[18][4];
    expect(CLASS_SWAPPED, "hi16_zmm", "zmm18", "63:0", NULL);
    start_anew(NULL);
    general[RSI] = finding.expected.general[RDI];
    expect(CLASS_SWAPPED, "gpr", "rsi", "63:0", NULL);
    expect_lane(0, "rsi", "swapped: run beef, vCPU 3, generation 77, rdi");
}

static void one_flipped_bit_is_told_by_its_number(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 512; bit++) {
        char number[8];
        struct text text;
        start_anew(NULL);
        vector[11][bit / 64] ^= UINT64_C(1) << bit % 64;
        text_start(&text, number, sizeof(number));
        text_add(&text, "%u", bit);
        expect(CLASS_BIT_FLIP,
               bit < 128   ? "sse"
               : bit < 256 ? "avx"
                           : "zmm_hi256",
               "zmm11", number, NULL);
    }
    start_anew(NULL);
    opmask[0] ^= UINT64_C(1) << 63;
    expect(CLASS_BIT_FLIP, "opmask", "k0", "63", NULL);
    start_anew(NULL);
    general[R15] ^= 1;
    expect(CLASS_BIT_FLIP, "gpr", "r15", "0", NULL);
}

/* A byte that holds a single bit becomes zero when that flips: hardware first, all the same. */
static void one_flipped_bit_that_leaves_a_zero_byte_is_still_a_flip(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < VECTOR_COUNT; n++) {
        for (unsigned int byte = 0; byte < 8; byte++) {
            uint64_t kept = finding.expected.vector[n][0] & UINT64_C(0xff) << 8 * byte;
            if (kept & (kept - 1))
                continue;
            vector[n][0] ^= kept;
            diagnose(&finding, &diagnosis);
            assert_int_equal(diagnosis.corruption, CLASS_BIT_FLIP);
            return;
        }
    }
    fail_msg("no pattern with a byte of one bit");
}

static void two_flipped_bits_of_one_quadword_are_foreign(void **state)
{
    (void)state;
    vector[11][0] ^= 0x101;
    expect(CLASS_FOREIGN, "sse", "zmm11", "31:0", "xmm written beneath the guest");
}

static void one_flipped_bit_in_each_of_two_registers_is_a_flip(void **state)
{
    (void)state;
    vector[11][0] ^= 1;
    vector[12][0] ^= 1u << 9;
    expect(CLASS_BIT_FLIP, "sse", "zmm11-12", "15:0", NULL);
    expect_lane(0, "zmm11", "bit-flip");
}

static void bytes_that_are_nearly_zero_are_not_zeroed(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 8; bit++) {
        start_anew(NULL);
        vector[20][0] = UINT64_C(0x0101010101010101) << bit;
        expect(CLASS_FOREIGN, "hi16_zmm", "zmm20", "63:0", NULL);
    }
}

static void data_of_something_else_is_foreign(void **state)
{
    (void)state;
    memcpy(vector[26], "text of some host process", 24);
    expect(CLASS_FOREIGN, "hi16_zmm", "zmm26", "191:0", NULL);
    expect_lane(0, "zmm26", "foreign");
    start_anew(NULL);
    opmask[1] = 0x5a5a5a5a5a5a5a5a;
    expect(CLASS_FOREIGN, "opmask", "k1", "63:0", NULL);
}

static void what_comes_back_where_nothing_was_is_a_ghost(void **state)
{
    (void)state;
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_ZMM_HI256) | COMPONENT_BIT(COMPONENT_OPMASK));
    opmask[3] = 0x5a;
    expect(CLASS_GHOST, "opmask", "k3", "31:0", NULL);
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_ZMM_HI256));
    vector[0][4] = 1;
    expect(CLASS_GHOST, "zmm_hi256", "zmm0", "287:256", NULL);
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_ZMM_HI256));
    vector[0][4] = value_of(RUN, VCPU, GENERATION - 1, 0, 4);
    expect(CLASS_GHOST, "zmm_hi256", "zmm0", "319:256", NULL);
    expect_lane(0, "zmm0", "ghost: run beef, vCPU 3, generation 76, zmm0 lane 4");
}

static void a_live_component_beside_an_init_one_is_no_ghost(void **state)
{
    (void)state;
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_ZMM_HI256));
    zero(3, 3, 0, 1);
    expect(CLASS_ZEROED, "sse", "zmm3", "127:0", CLEARED);
}

static void a_general_register_that_was_to_be_zero_is_altered_and_no_ghost(void **state)
{
    (void)state;
    finding.expected.general[RDI] = 0;
    general[RDI] = 5;
    expect(CLASS_ALTERED, "gpr", "rdi", "31:0", NULL);
    expect_lane(0, "rdi", "altered");
    general[RDI] = UINT64_C(1) << 40;
    expect(CLASS_BIT_FLIP, "gpr", "rdi", "40", NULL);
    general[RDI] = value_of(RUN, VCPU, GENERATION - 1, PATTERN_GENERAL + RDI, 0);
    expect(CLASS_STALE, "gpr", "rdi", "63:0", NULL);
    expect_lane(0, "rdi", "stale: run beef, vCPU 3, generation 76, rdi");
}

static void changed_general_registers_and_flags_are_altered(void **state)
{
    (void)state;
    general[RDX] = 5;
    expect(CLASS_ALTERED, "gpr", "rdx", "63:0", NULL);
    expect_lane(0, "rdx", "altered");
    start_anew(NULL);
    general[RAX] = 0;
    expect(CLASS_ZEROED, "gpr", "rax", "63:0", NULL);
    start_anew(NULL);
    finding.found.rflags ^= RFLAGS_DIRECTION;
    expect(CLASS_ALTERED, "rflags", "rflags", "10", "RFLAGS not kept");
    expect_lane(0, "rflags", "altered");
}

static void a_changed_mxcsr_is_altered(void **state)
{
    (void)state;
    finding.found.mxcsr ^= 1u << 13;
    expect(CLASS_ALTERED, "mxcsr", "mxcsr", "13", "MXCSR not kept");
    expect_lane(0, "mxcsr", "altered");
    assert_int_equal(diagnosis.lane_count, 1);
    finding.found.mxcsr = 0;
    diagnose(&finding, &diagnosis);
    assert_int_equal(diagnosis.corruption, CLASS_ALTERED);
    assert_true(diagnosis.narrow_bits == finding.expected.mxcsr);
}

static const char *const general_names[GENERAL_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                         "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                         "r12", "r13", "r14", "r15"};

static void every_general_register_has_its_name(void **state)
{
    (void)state;
    finding.general_changed = 0;
    for (unsigned int n = 0; n < GENERAL_COUNT; n++) {
        memcpy(&finding.found, &finding.expected, sizeof(finding.found));
        general[n] = 5;
        expect(CLASS_ALTERED, "gpr", general_names[n], "63:0", NULL);
        assert_int_equal(diagnosis.general, 1u << n);
    }
    memset(general, 5, GENERAL_COUNT * sizeof(*general));
    expect(CLASS_ALTERED, "gpr", "rax,rcx,rdx,rbx,rsp,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15",
           "63:0", NULL);
}

static void a_fault_names_no_register(void **state)
{
    (void)state;
    zero(0, 31, 0, 7);
    finding.result = FAULTED;
    expect(CLASS_FAULT, "none", "none", "none", NULL);
    assert_int_equal(diagnosis.lane_count, 0);
    finding.result = FAULTED_TWICE;
    expect(CLASS_FAULT, "none", "none", "none", NULL);
}

static void what_the_event_may_write_is_not_looked_at(void **state)
{
    (void)state;
    general[RAX] = 1;
    general[RSP] = 2;
    finding.general_changed |= UINT64_C(1) << RAX;
    vector[0][0] = 0;
    expect(CLASS_ZEROED, "sse", "zmm0", "63:0", NULL);
    assert_int_equal(diagnosis.lane_count, 1);
    general[RCX] = 1;
    expect(CLASS_ZEROED, "gpr,sse", "zmm0,rcx", "63:0,63:0", NULL);
}

static void flags_that_may_change_are_not_looked_at(void **state)
{
    (void)state;
    finding.flags_kept = RFLAGS_DIRECTION;
    finding.found.rflags ^= RFLAGS_STATUS;
    vector[0][0] = 0;
    expect(CLASS_ZEROED, "sse", "zmm0", "63:0", NULL);
    finding.found.rflags ^= RFLAGS_DIRECTION;
    vector[0][0] = finding.expected.vector[0][0];
    expect(CLASS_ALTERED, "rflags", "rflags", "10", "RFLAGS not kept");
    assert_int_equal(diagnosis.lane_count, 1);
}

static void a_difference_that_nothing_shows_is_an_opmask_in_the_compare(void **state)
{
    (void)state;
    finding.result = VECTOR_DIFFER;
    expect(CLASS_ALTERED, "opmask", "none", "none", NULL);
    assert_int_equal(diagnosis.lane_count, 0);
    vector[0][0] = 0;
    expect(CLASS_ZEROED, "sse", "zmm0", "63:0", NULL);
}

static void only_the_lanes_of_the_form_count(void **state)
{
    (void)state;
    static const char *const names[] = {"xmm15", "ymm15"};
    static const char *const bits[] = {"127:64", "255:192"};
    static const char *const components[] = {"sse", "avx"};
    for (enum form form = FORM_XMM; form <= FORM_YMM; form++) {
        start_in_form(form, 0);
        memset(finding.expected.opmask, 1, sizeof(finding.expected.opmask));
        memset(opmask, 2, sizeof(finding.found.opmask));
        for (uint32_t n = 0; n < VECTOR_COUNT; n++)
            for (uint32_t lane = 0; lane < VECTOR_LANES; lane++)
                if (n >= form_vectors(form) || lane >= form_lanes(form)) {
                    vector[n][lane] = 1;
                    finding.expected.vector[n][lane] = 2;
                }
        vector[15][form_lanes(form) - 1] = 0;
        expect(CLASS_ZEROED, components[form], names[form], bits[form], NULL);
        assert_int_equal(diagnosis.lane_count, 1);
        expect_lane(0, names[form], "zeroed");
        vector[15][0] = value_of(RUN, 0, 1, 2, 1);
        diagnose(&finding, &diagnosis);
        expect_lane(0, names[form],
                    form == FORM_XMM ? "other-vcpu: run beef, vCPU 0, generation 1, xmm2 lane 1"
                                     : "other-vcpu: run beef, vCPU 0, generation 1, ymm2 lane 1");
    }
}

static void the_class_of_most_quadwords_is_the_class(void **state)
{
    (void)state;
    vector[0][0] = 0;
    for (uint32_t lane = 0; lane < 3; lane++)
        vector[1][lane] = value_of(RUN, VCPU, GENERATION - 1, 1, lane);
    expect(CLASS_STALE, "sse,avx", "zmm0-1", "191:0", NULL);
    assert_int_equal(diagnosis.lane_count, 4);
    assert_int_equal(diagnosis.lane[0].corruption, CLASS_ZEROED);
    zero(2, 2, 0, 7);
    expect(CLASS_ZEROED, "sse,avx,zmm_hi256", "zmm0-2", "511:0", NULL);
    assert_int_equal(diagnosis.lane_count, 12);
    assert_int_equal(diagnosis.lanes_kept, LANES_KEPT);
}

static void numbers_that_wrap_are_still_ones_own(void **state)
{
    (void)state;
    finding.key.vcpu = VCPU + (1u << PATTERN_VCPU_BITS);
    finding.generation = GENERATION + (1u << PATTERN_GENERATION_BITS);
    pattern_fill(&finding.expected, &finding.key, finding.generation, 0);
    memcpy(&finding.found, &finding.expected, sizeof(finding.found));
    vector[1][0] = finding.expected.vector[2][0];
    expect(CLASS_SWAPPED, "sse", "zmm1", "63:0", NULL);
    vector[1][0] = value_of(RUN, VCPU, GENERATION - 1, 1, 0);
    expect(CLASS_STALE, "sse", "zmm1", "63:0", NULL);
}

static void all_kinds_of_register_stand_in_one_list(void **state)
{
    (void)state;
    zero(0, 2, 0, 0);
    zero(5, 5, 0, 0);
    opmask[1] = opmask[2] = 0;
    general[RBX] = 0;
    finding.found.rflags ^= 1;
    expect(CLASS_ZEROED, "gpr,rflags,sse,opmask", "zmm0-2,zmm5,k1-2,rbx,rflags", "63:0,63:0", NULL);
}

static void expect_registers(const char *registers)
{
    char buffer[DIAGNOSIS_TEXT];
    diagnose(&finding, &diagnosis);
    diagnosis_registers(&diagnosis, buffer);
    assert_string_equal(buffer, registers);
}

static void expect_bits(const char *bits)
{
    char buffer[DIAGNOSIS_TEXT];
    diagnose(&finding, &diagnosis);
    diagnosis_bits(&diagnosis, buffer);
    assert_string_equal(buffer, bits);
}

#define EVEN                                                                                       \
    "zmm0,zmm2,zmm4,zmm6,zmm8,zmm10,zmm12,zmm14,zmm16,zmm18,zmm20,zmm22,zmm24,zmm26,zmm28,zmm30"

static void registers_that_do_not_fit_leave_dots_behind_a_whole_name(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < VECTOR_COUNT; n += 2)
        vector[n][0] = 0;
    expect_registers(EVEN);
    for (uint32_t n = 0; n < OPMASK_COUNT; n += 2)
        opmask[n] = 0;
    expect_registers(EVEN ",k0,k2,k4,k6");
    general[RAX] = 0;
    expect_registers(EVEN ",k0,k2,k4,k6,rax");
    general[RDX] = 0;
    expect_registers(EVEN ",k0,k2,k4,k6,rax,rdx");
    general[R15] = 0;
    expect_registers(EVEN ",k0,k2,k4,k6,rax,...");
    general[RAX] = finding.expected.general[RAX];
    general[RDX] = finding.expected.general[RDX];
    finding.found.rflags ^= 1;
    expect_registers(EVEN ",k0,k2,k4,k6,r15,...");
    vector[1][0] = 0;
    expect_registers("zmm0-2,zmm4,zmm6,zmm8,zmm10,zmm12,zmm14,zmm16,zmm18,zmm20,zmm22,zmm24,zmm26,"
                     "zmm28,zmm30,k0,k2,k4,k6,r15,rflags");
}

static void bits_that_do_not_fit_leave_dots_behind_a_whole_range(void **state)
{
    (void)state;
    for (uint32_t lane = 0; lane < VECTOR_LANES; lane++)
        vector[1][lane] &= 0x00ff00ff00ff00ff;
    expect_bits("511:504,495:488,479:472,463:456,447:440,431:424,415:408,399:392,383:376,367:360,"
                "351:344,335:328,319:312,...");
    vector[1][0] = finding.expected.vector[1][0];
    opmask[0] &= ~UINT64_C(0xff);
    expect_bits("511:504,495:488,479:472,463:456,447:440,431:424,415:408,399:392,383:376,367:360,"
                "351:344,335:328,319:312,...");
}

/* Sets of registers of every kind, so that the end of the buffer falls on every place of an entry.
 */
static void no_register_of_a_list_is_ever_cut(void **state)
{
    (void)state;
    char whole[1024], kept[DIAGNOSIS_TEXT];
    unsigned int cut = 0;
    for (uint32_t n = 0; n < 10000; n++) {
        struct text text;
        diagnosis = (struct diagnosis){
            .form = FORM_ZMM, .vectors = n * 2654435761u | 1, .general = n * 40503 & 0xffff};
        text_start(&text, whole, sizeof(whole));
        text_add_ranges(&text, "zmm", diagnosis.vectors);
        for (unsigned int number = 0; number < GENERAL_COUNT; number++)
            if (diagnosis.general >> number & 1)
                text_add(&text, ",%s", general_names[number]);
        diagnosis_registers(&diagnosis, kept);
        size_t length = strlen(kept);
        if (text.length < sizeof(kept)) {
            assert_string_equal(kept, whole);
            continue;
        }
        assert_true(length < sizeof(kept));
        assert_string_equal(kept + length - 4, ",...");
        assert_memory_equal(kept, whole, length - 4);
        assert_int_equal(whole[length - 4], ',');
        cut++;
    }
    assert_true(cut > 100);
}

#define ESXI "ESXi 8.0.2: AVX-256 host code, zmm not saved"

static void lost_upper_halves_match_the_esxi_bug(void **state)
{
    (void)state;
    zero(0, 15, 4, 7);
    expect(CLASS_ZEROED, "zmm_hi256", "zmm0-15", "511:256", ESXI);
    assert_int_equal(diagnosis.lane_count, 64);
    start_anew(NULL);
    zero(9, 9, 4, 7);
    expect(CLASS_ZEROED, "zmm_hi256", "zmm9", "511:256", ESXI);
}

static void other_lost_pieces_do_not_match_the_esxi_bug(void **state)
{
    (void)state;
    zero(9, 9, 4, 6);
    expect(CLASS_ZEROED, "zmm_hi256", "zmm9", "447:256", NULL);
    start_anew(NULL);
    zero(0, 16, 4, 7);
    expect(CLASS_ZEROED, "zmm_hi256,hi16_zmm", "zmm0-16", "511:256", NULL);
    start_anew(NULL);
    zero(0, 15, 4, 7);
    opmask[0] = 0;
    expect(CLASS_ZEROED, "opmask,zmm_hi256", "zmm0-15,k0", "511:256,63:0", NULL);
}

static void lost_bits_above_xmm_match_vzeroupper(void **state)
{
    (void)state;
    zero(0, 15, 2, 7);
    expect(CLASS_ZEROED, "avx,zmm_hi256", "zmm0-15", "511:128", "VZEROUPPER not undone");
}

static void lost_upper_halves_of_ymm_match_their_row(void **state)
{
    (void)state;
    zero(0, 15, 2, 3);
    expect(CLASS_ZEROED, "avx", "zmm0-15", "255:128", "AVX upper halves lost");
    start_in_form(FORM_YMM, 0);
    zero(3, 4, 2, 3);
    expect(CLASS_ZEROED, "avx", "ymm3-4", "255:128", "AVX upper halves lost");
}

static void sixteen_zero_registers_match_vzeroall(void **state)
{
    (void)state;
    zero(0, 15, 0, 7);
    expect(CLASS_ZEROED, "sse,avx,zmm_hi256", "zmm0-15", "511:0", "VZEROALL or vector state reset");
    start_anew(NULL);
    zero(0, 14, 0, 7);
    expect(CLASS_ZEROED, "sse,avx,zmm_hi256", "zmm0-14", "511:0", NULL);
}

static void zero_high_registers_match_their_reset(void **state)
{
    (void)state;
    zero(16, 31, 0, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm16-31", "511:0", "Hi16_ZMM reset");
    start_anew(NULL);
    zero(17, 31, 0, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm17-31", "511:0", NULL);
}

static void pieces_of_the_high_registers_are_no_reset_of_them(void **state)
{
    (void)state;
    zero(16, 31, 4, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm16-31", "511:256", NULL);
    start_anew(NULL);
    zero(16, 31, 0, 1);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm16-31", "127:0", NULL);
    start_anew(NULL);
    zero(16, 31, 0, 7);
    for (uint32_t n = 16; n < 32; n++)
        vector[n][0] = finding.expected.vector[n][0] & 0xff;
    expect(CLASS_ZEROED, "hi16_zmm", "zmm16-31", "511:8", NULL);
}

static void opmasks_of_sixteen_bits_match_their_row(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < OPMASK_COUNT; n++)
        opmask[n] &= 0xffff;
    expect(CLASS_ZEROED, "opmask", "k0-7", "63:16", "opmask upper 48 bits lost");
    start_anew(NULL);
    opmask[5] &= 0xffff;
    expect(CLASS_ZEROED, "opmask", "k5", "63:16", "opmask upper 48 bits lost");
}

static void opmasks_of_32_bits_match_their_row(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < OPMASK_COUNT; n++)
        opmask[n] &= 0xffffffff;
    expect(CLASS_ZEROED, "opmask", "k0-7", "63:32", "opmask upper 32 bits lost");
    opmask[2] &= 0xffff;
    expect(CLASS_ZEROED, "opmask", "k0-7", "63:16", NULL);
}

static void zero_opmasks_match_their_reset(void **state)
{
    (void)state;
    memset(opmask, 0, OPMASK_COUNT * sizeof(*opmask));
    expect(CLASS_ZEROED, "opmask", "k0-7", "63:0", "opmask reset");
    start_anew(NULL);
    opmask[3] = 0;
    expect(CLASS_ZEROED, "opmask", "k3", "63:0", "opmask cleared beneath the guest");
}

static void pieces_of_opmasks_are_no_reset_of_them(void **state)
{
    (void)state;
    opmask[3] &= ~UINT64_C(0xff);
    expect(CLASS_ZEROED, "opmask", "k3", "7:0", NULL);
    start_anew(NULL);
    opmask[6] &= 0xff;
    expect(CLASS_ZEROED, "opmask", "k6", "63:8", NULL);
}

static void a_cleared_xmm_matches_its_row(void **state)
{
    (void)state;
    zero(0, 0, 0, 1);
    expect(CLASS_ZEROED, "sse", "zmm0", "127:0", CLEARED);
    zero(0, 15, 0, 1);
    expect(CLASS_ZEROED, "sse", "zmm0-15", "127:0", CLEARED);
    start_in_form(FORM_YMM, 0);
    zero(7, 8, 0, 1);
    expect(CLASS_ZEROED, "sse", "ymm7-8", "127:0", CLEARED);
}

static void pieces_of_xmm_or_more_than_it_are_no_cleared_xmm(void **state)
{
    (void)state;
    zero(0, 0, 0, 0);
    expect(CLASS_ZEROED, "sse", "zmm0", "63:0", NULL);
    start_anew(NULL);
    zero(0, 0, 0, 2);
    expect(CLASS_ZEROED, "sse,avx", "zmm0", "191:0", NULL);
    start_anew(NULL);
    zero(16, 16, 0, 1);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm16", "127:0", NULL);
    start_anew(NULL);
    zero(0, 0, 0, 1);
    opmask[1] = 0;
    expect(CLASS_ZEROED, "sse,opmask", "zmm0,k1", "127:0,63:0", NULL);
}

static void foreign_data_in_xmm_matches_its_row(void **state)
{
    (void)state;
    memset(vector[0], 0x41, 16);
    memset(vector[1], 0x42, 16);
    expect(CLASS_FOREIGN, "sse", "zmm0-1", "127:0", "xmm written beneath the guest");
    vector[1][2] = 0x4343434343434343;
    expect(CLASS_FOREIGN, "sse,avx", "zmm0-1", "191:0", NULL);
}

static void stale_xmm_matches_its_row(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 16; n++)
        for (uint32_t lane = 0; lane < 2; lane++)
            vector[n][lane] = value_of(RUN, VCPU, GENERATION - 1, n, lane);
    expect(CLASS_STALE, "sse", "zmm0-15", "127:0", "stale xmm");
    vector[15][0] = value_of(RUN, VCPU, GENERATION - 1, 14, 0);
    expect(CLASS_STALE, "sse", "zmm0-15", "127:0", NULL);
    vector[15][0] = finding.expected.vector[15][0];
    vector[15][1] = finding.expected.vector[15][1];
    expect(CLASS_STALE, "sse", "zmm0-14", "127:0", NULL);
}

/* AMD erratum 1386. */
static void old_xmm_in_the_place_of_zeros_match_their_row(void **state)
{
    (void)state;
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_SSE));
    for (uint32_t n = 0; n < 16; n++)
        for (uint32_t lane = 0; lane < 2; lane++)
            vector[n][lane] = value_of(RUN, VCPU, GENERATION - 1, n, lane);
    expect(CLASS_GHOST, "sse", "zmm0-15", "127:0", "old xmm in the place of zeros");
    vector[0][0] = 0x5a;
    expect(CLASS_GHOST, "sse", "zmm0-15", "127:0", NULL);
}

static void write(uint32_t first, uint32_t last, uint32_t first_lane, uint32_t last_lane)
{
    for (uint32_t n = first; n <= last; n++)
        for (uint32_t lane = first_lane; lane <= last_lane; lane++)
            vector[n][lane] = UINT64_C(0x6d656d6f72792000) + 16 * (uint64_t)n + lane;
}

/* As many quadwords are zero as hold data: tgoskits 1329, frida-gum 1137. */
static void data_of_the_host_weigh_more_than_zeros_above_them(void **state)
{
    (void)state;
    write(16, 19, 0, 3);
    zero(16, 19, 4, 7);
    expect(CLASS_FOREIGN, "hi16_zmm", "zmm16-19", "511:0", "EVEX-256 host code, nothing saved");
    vector[17][2] = 0; /* the data of a memmove may be zero */
    expect(CLASS_FOREIGN, "hi16_zmm", "zmm16-19", "511:0", "EVEX-256 host code, nothing saved");
    vector[17][2] = finding.expected.vector[17][2];
    expect(CLASS_FOREIGN, "hi16_zmm", "zmm16-19", "511:0", NULL);
    start_anew(NULL);
    write(0, 15, 2, 3);
    zero(0, 15, 4, 7);
    expect(CLASS_FOREIGN, "avx,zmm_hi256", "zmm0-15", "511:128", "AVX data of the host above xmm");
    zero(0, 15, 3, 3);
    expect(CLASS_FOREIGN, "avx,zmm_hi256", "zmm0-15", "511:128", "AVX data of the host above xmm");
    start_in_form(FORM_YMM, 0);
    write(0, 3, 2, 3);
    expect(CLASS_FOREIGN, "avx", "ymm0-3", "255:128", "AVX data of the host above xmm");
    start_anew(NULL);
    write(0, 1, 0, 3);
    zero(0, 1, 4, 7);
    expect(CLASS_FOREIGN, "sse,avx,zmm_hi256", "zmm0-1", "511:0",
           "AVX-256 host code, nothing saved");
    start_anew(NULL);
    zero(0, 15, 0, 7);
    write(3, 3, 1, 1);
    expect(CLASS_FOREIGN, "sse,avx,zmm_hi256", "zmm0-15", "511:0", NULL);
}

static void some_registers_of_sixteen_are_no_vzeroupper(void **state)
{
    (void)state;
    zero(0, 14, 2, 7);
    expect(CLASS_ZEROED, "avx,zmm_hi256", "zmm0-14", "511:128", "AVX-128 host code, ymm not saved");
    start_anew(NULL);
    zero(0, 14, 2, 3);
    expect(CLASS_ZEROED, "avx", "zmm0-14", "255:128", NULL);
    /* A copy had loaded zmm0 anew. */
    start_anew(NULL);
    zero(1, 15, 2, 7);
    expect(CLASS_ZEROED, "avx,zmm_hi256", "zmm1-15", "511:128", "AVX-128 host code, ymm not saved");
    finding.vector_operands = 1;
    expect(CLASS_ZEROED, "avx,zmm_hi256", "zmm1-15", "511:128", "VZEROUPPER not undone");
}

/* What was zero in the round anyway shows nothing. */
static void what_was_not_live_was_not_left_alone(void **state)
{
    (void)state;
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_ZMM_HI256));
    zero(0, 15, 2, 3);
    expect(CLASS_ZEROED, "avx", "zmm0-15", "255:128", NULL);
    start_in_form(FORM_ZMM, COMPONENT_BIT(COMPONENT_OPMASK));
    zero(16, 31, 0, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm16-31", "511:0", NULL);
}

static void components_in_init_match_their_rows(void **state)
{
    (void)state;
    zero(0, 31, 0, 7);
    memset(opmask, 0, OPMASK_COUNT * sizeof(*opmask));
    expect(CLASS_ZEROED, "sse,avx,opmask,zmm_hi256,hi16_zmm", "zmm0-31,k0-7", "511:0,63:0",
           "everything in INIT");
    finding.found.mxcsr = MXCSR_MASKS;
    diagnose(&finding, &diagnosis);
    assert_string_equal(signature_find(&diagnosis)->name, "everything in INIT");
    finding.found.mxcsr = MXCSR_MASKS | 1 << 14;
    diagnose(&finding, &diagnosis);
    assert_null(signature_find(&diagnosis));
    finding.found.mxcsr = finding.expected.mxcsr;
    finding.live = XCR0_X87 | XCR0_SSE; /* and x87, which was looked at, is intact */
    expect(CLASS_ZEROED, "sse,avx,opmask,zmm_hi256,hi16_zmm", "zmm0-31,k0-7", "511:0,63:0", NULL);
    finding.difference[finding.differences++] =
        (struct area_difference){.component = XSTATE_X87, .want = 5, .got = 0x37f, .reset = true};
    expect(CLASS_ZEROED, "sse,avx,opmask,zmm_hi256,hi16_zmm,x87", "zmm0-31,k0-7,x87", "511:0,63:0",
           "everything in INIT");
    start_anew(NULL);
    zero(0, 15, 2, 7);
    zero(16, 31, 0, 7);
    memset(opmask, 0, OPMASK_COUNT * sizeof(*opmask));
    expect(CLASS_ZEROED, "avx,opmask,zmm_hi256,hi16_zmm", "zmm0-31,k0-7", "511:0,63:0",
           "everything above SSE in INIT");
    memcpy(opmask, finding.expected.opmask, sizeof(finding.expected.opmask));
    expect(CLASS_ZEROED, "avx,zmm_hi256,hi16_zmm", "zmm0-31", "511:0", NULL);
    start_anew(NULL);
    zero(0, 15, 4, 7);
    zero(16, 31, 0, 7);
    memset(opmask, 0, OPMASK_COUNT * sizeof(*opmask));
    expect(CLASS_ZEROED, "opmask,zmm_hi256,hi16_zmm", "zmm0-31,k0-7", "511:0,63:0",
           "AVX-512 in INIT");
    vector[2][5] = finding.expected.vector[2][5];
    expect(CLASS_ZEROED, "opmask,zmm_hi256,hi16_zmm", "zmm0-31,k0-7", "511:0,63:0", NULL);
}

static void the_end_of_an_area_matches_its_row(void **state)
{
    (void)state;
    zero(28, 31, 0, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm28-31", "511:0", "end of the XSAVE area lost");
    start_anew(NULL);
    zero(27, 31, 0, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm27-31", "511:0", NULL);
    start_anew(NULL);
    zero(29, 31, 0, 7);
    expect(CLASS_ZEROED, "hi16_zmm", "zmm29-31", "511:0", NULL);
}

static void a_full_tag_word_matches_its_row(void **state)
{
    (void)state;
    struct area_difference *x87 = &finding.difference[0];
    finding.live = XCR0_X87;
    finding.differences = 1;
    *x87 = (struct area_difference){
        .component = XSTATE_X87, .want = 0x5a2100027f, .got = 0xff2100027f};
    expect(CLASS_ALTERED, "x87", "x87", "39,37,34,32", "x87 tag word FFh");
    x87->further = 1;
    expect(CLASS_ALTERED, "x87", "x87", "39,37,34,32", NULL);
    x87->further = 0;
    x87->got = 0xff21000e7f;
    expect(CLASS_ALTERED, "x87", "x87", "39,37,34,32,11:10", NULL);
    x87->got = 0xfe2100027f;
    expect(CLASS_ALTERED, "x87", "x87", "39,37,34", NULL);
}

static void changed_flags_match_their_row(void **state)
{
    (void)state;
    finding.found.rflags ^= RFLAGS_STATUS;
    expect(CLASS_ALTERED, "rflags", "rflags", "11,7:6,4,2,0", "RFLAGS not kept");
}

static void every_class_has_a_name_and_a_meaning(void **state)
{
    (void)state;
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++) {
        assert_true(strlen(class_name(corruption)) > 0);
        assert_true(strlen(class_meaning(corruption)) > 0);
        for (enum corruption_class other = 0; other < corruption; other++)
            assert_string_not_equal(class_name(corruption), class_name(other));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(zeroed_bytes_are_zeroed, start_anew),
    cmocka_unit_test_setup(only_what_no_processor_without_avx512_has_is_avx512, start_anew),
    cmocka_unit_test_setup(a_whole_zeroed_xmm_is_sse, start_anew),
    cmocka_unit_test_setup(an_earlier_value_is_stale, start_anew),
    cmocka_unit_test_setup(two_different_stale_registers_are_stale, start_anew),
    cmocka_unit_test_setup(a_stale_value_of_another_register_names_its_origin, start_anew),
    cmocka_unit_test_setup(a_value_of_another_vcpu_is_known_even_in_the_wrong_register, start_anew),
    cmocka_unit_test_setup(a_value_of_another_run_is_known_in_its_own_place, start_anew),
    cmocka_unit_test_setup(a_value_of_another_run_in_another_place_is_chance, start_anew),
    cmocka_unit_test_setup(values_in_each_others_place_are_swapped, start_anew),
    cmocka_unit_test_setup(one_flipped_bit_is_told_by_its_number, start_anew),
    cmocka_unit_test_setup(one_flipped_bit_that_leaves_a_zero_byte_is_still_a_flip, start_anew),
    cmocka_unit_test_setup(two_flipped_bits_of_one_quadword_are_foreign, start_anew),
    cmocka_unit_test_setup(one_flipped_bit_in_each_of_two_registers_is_a_flip, start_anew),
    cmocka_unit_test_setup(bytes_that_are_nearly_zero_are_not_zeroed, start_anew),
    cmocka_unit_test_setup(data_of_something_else_is_foreign, start_anew),
    cmocka_unit_test_setup(what_comes_back_where_nothing_was_is_a_ghost, start_anew),
    cmocka_unit_test_setup(a_live_component_beside_an_init_one_is_no_ghost, start_anew),
    cmocka_unit_test_setup(a_general_register_that_was_to_be_zero_is_altered_and_no_ghost,
                           start_anew),
    cmocka_unit_test_setup(changed_general_registers_and_flags_are_altered, start_anew),
    cmocka_unit_test_setup(a_changed_mxcsr_is_altered, start_anew),
    cmocka_unit_test_setup(every_general_register_has_its_name, start_anew),
    cmocka_unit_test_setup(a_fault_names_no_register, start_anew),
    cmocka_unit_test_setup(what_the_event_may_write_is_not_looked_at, start_anew),
    cmocka_unit_test_setup(flags_that_may_change_are_not_looked_at, start_anew),
    cmocka_unit_test_setup(a_difference_that_nothing_shows_is_an_opmask_in_the_compare, start_anew),
    cmocka_unit_test_setup(only_the_lanes_of_the_form_count, start_anew),
    cmocka_unit_test_setup(the_class_of_most_quadwords_is_the_class, start_anew),
    cmocka_unit_test_setup(numbers_that_wrap_are_still_ones_own, start_anew),
    cmocka_unit_test_setup(all_kinds_of_register_stand_in_one_list, start_anew),
    cmocka_unit_test_setup(registers_that_do_not_fit_leave_dots_behind_a_whole_name, start_anew),
    cmocka_unit_test_setup(bits_that_do_not_fit_leave_dots_behind_a_whole_range, start_anew),
    cmocka_unit_test_setup(no_register_of_a_list_is_ever_cut, start_anew),
    cmocka_unit_test(every_class_has_a_name_and_a_meaning),
    cmocka_unit_test_setup(lost_upper_halves_match_the_esxi_bug, start_anew),
    cmocka_unit_test_setup(other_lost_pieces_do_not_match_the_esxi_bug, start_anew),
    cmocka_unit_test_setup(lost_bits_above_xmm_match_vzeroupper, start_anew),
    cmocka_unit_test_setup(lost_upper_halves_of_ymm_match_their_row, start_anew),
    cmocka_unit_test_setup(sixteen_zero_registers_match_vzeroall, start_anew),
    cmocka_unit_test_setup(zero_high_registers_match_their_reset, start_anew),
    cmocka_unit_test_setup(pieces_of_the_high_registers_are_no_reset_of_them, start_anew),
    cmocka_unit_test_setup(opmasks_of_sixteen_bits_match_their_row, start_anew),
    cmocka_unit_test_setup(opmasks_of_32_bits_match_their_row, start_anew),
    cmocka_unit_test_setup(zero_opmasks_match_their_reset, start_anew),
    cmocka_unit_test_setup(pieces_of_opmasks_are_no_reset_of_them, start_anew),
    cmocka_unit_test_setup(a_cleared_xmm_matches_its_row, start_anew),
    cmocka_unit_test_setup(pieces_of_xmm_or_more_than_it_are_no_cleared_xmm, start_anew),
    cmocka_unit_test_setup(foreign_data_in_xmm_matches_its_row, start_anew),
    cmocka_unit_test_setup(stale_xmm_matches_its_row, start_anew),
    cmocka_unit_test_setup(old_xmm_in_the_place_of_zeros_match_their_row, start_anew),
    cmocka_unit_test_setup(data_of_the_host_weigh_more_than_zeros_above_them, start_anew),
    cmocka_unit_test_setup(some_registers_of_sixteen_are_no_vzeroupper, start_anew),
    cmocka_unit_test_setup(what_was_not_live_was_not_left_alone, start_anew),
    cmocka_unit_test_setup(components_in_init_match_their_rows, start_anew),
    cmocka_unit_test_setup(the_end_of_an_area_matches_its_row, start_anew),
    cmocka_unit_test_setup(a_full_tag_word_matches_its_row, start_anew),
    cmocka_unit_test_setup(changed_flags_match_their_row, start_anew),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
