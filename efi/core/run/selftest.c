/* Plants faults in rounds of the boot vCPU and checks what diagnosis says of them. */
#include "selftest.h"
#include "../diagnosis/diagnosis.h"
#include "../machine/exception.h"
#include "../machine/xstate.h"
#include "../text.h"
#include "../window/area_fill.h"
#include "../window/area_probe.h"
#include "../window/findings.h"
#include "../window/plant.h"
#include "../window/round.h"
#include <string.h>

struct test {
    struct vcpu *vcpu;
    struct selftest *result;
    struct finding finding; /* of the attempt at hand */
};

/*
 * Beneath a host that breaks registers all the time, a planted fault may meet one that was not
 * planted. What is wrong with zmmtest itself is wrong each time.
 */
#define ATTEMPTS 3u

typedef bool attempt(struct test *test, unsigned int number);

static void plant_and_name(struct test *test, attempt *once, const char *what, unsigned int number)
{
    bool right = once(test, number);
    for (unsigned int n = 1; n < ATTEMPTS && !right; n++) {
        test->result->repeated++;
        right = once(test, number);
    }
    test->result->planted++;
    if (right) {
        test->result->named++;
    } else if (test->result->missed[0] == '\0') {
        struct text text;
        text_start(&text, test->result->missed, sizeof(test->result->missed));
        text_add(&text, "%s %u", what, number);
    }
}

static bool named_right(const struct finding *finding, const struct plant *plant)
{
    struct diagnosis diagnosis;
    char components[DIAGNOSIS_TEXT], registers[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
    diagnose(finding, &diagnosis);
    diagnosis_components(&diagnosis, components);
    diagnosis_registers(&diagnosis, registers);
    diagnosis_bits(&diagnosis, bits);
    return diagnosis.corruption == plant->corruption && strcmp(components, plant->component) == 0 &&
           strcmp(registers, plant->registers) == 0 && strcmp(bits, plant->bits) == 0;
}

static bool class_is_named(struct test *test, unsigned int number)
{
    struct rounds *rounds = &test->vcpu->rounds;
    struct round *round = &rounds->planted;
    enum form form = rounds->key.form;
    enum corruption_class corruption = number;
    struct plant plant;
    round_fill(rounds, round, plant_init_components(corruption, form));
    const struct window *window = plant_class(round, &rounds->key, corruption, &plant);
    return finding_planted(rounds, round, window, &test->finding) &&
           named_right(&test->finding, &plant);
}

/* The quadword at this position, and nothing else, must be found to differ. */
static bool position_is_named(struct test *test, unsigned int position)
{
    struct rounds *rounds = &test->vcpu->rounds;
    struct round *round = &rounds->planted;
    struct diagnosis diagnosis;
    if (position % VECTOR_LANES == 0)
        round_fill(rounds, round, 0);
    const struct window *window = plant_bit(round, rounds->key.form, position);
    if (!finding_planted(rounds, round, window, &test->finding))
        return false;
    diagnose(&test->finding, &diagnosis);
    return diagnosis.lane_count == 1 &&
           diagnosis.lane[0].reg == plant_register(rounds->key.form, position);
}

/* A bit of an XSAVE area in each component, as far as areas are used here. */
static bool component_is_named(struct test *test, unsigned int bit)
{
    struct rounds *rounds = &test->vcpu->rounds;
    struct diagnosis diagnosis;
    char name[XSTATE_NAME], components[DIAGNOSIS_TEXT];
    areas_plant(rounds, &rounds->area_round, bit);
    if (!finding_planted(rounds, &rounds->area_round, &window_plant, &test->finding))
        return false;
    diagnose(&test->finding, &diagnosis);
    diagnosis_components(&diagnosis, components);
    xstate_log_name(bit, name);
    enum corruption_class planted =
        diagnosis_is_control(bit, diagnosis.lane[0].lane * 8) ? CLASS_ALTERED : CLASS_BIT_FLIP;
    return diagnosis.corruption == planted && strcmp(components, name) == 0;
}

/* And a round into which nothing was planted must come back intact. */
static bool nothing_is_found(struct test *test, unsigned int number)
{
    struct rounds *rounds = &test->vcpu->rounds;
    struct round *round = &rounds->planted;
    (void)number;
    round_fill(rounds, round, 0);
    return !finding_planted(rounds, round, &window_bare, &test->finding);
}

static void plant_all(void *argument)
{
    struct test *test = argument;
    struct rounds *rounds = &test->vcpu->rounds;
    plant_and_name(test, nothing_is_found, "nothing", 0);
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++)
        plant_and_name(test, class_is_named, class_name(corruption), corruption);
    for (unsigned int n = 0; n < plant_positions(rounds->key.form); n++)
        plant_and_name(test, position_is_named, "bit in quadword", n);
    for (unsigned int bit = 0; bit < XCR0_BITS; bit++)
        if (areas_plantable(&rounds->areas) >> bit & 1)
            plant_and_name(test, component_is_named, "bit in component", bit);
    areas_count_anew(&rounds->areas);
}

void selftest_run(struct vcpu *vcpu, struct selftest *selftest)
{
    struct test test = {.vcpu = vcpu, .result = selftest};
    memset(selftest, 0, sizeof(*selftest));
    if (!vcpu_with_vectors(vcpu, plant_all, &test)) {
        struct text text;
        text_start(&text, selftest->missed, sizeof(selftest->missed));
        text_add(&text, "stopped by %s at image+0x%lx", exception_name(vcpu->fault.vector),
                 image_offset(vcpu->fault.rip));
    }
}
