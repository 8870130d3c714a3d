/* Plants faults in rounds of the boot vCPU and checks what diagnosis says of them. */
#include "selftest.h"
#include "diagnosis/diagnosis.h"
#include "text.h"
#include "window/plant.h"
#include <string.h>

static struct {
    struct selftest *result;
    struct finding finding;
} test;

static void record(bool right, const char *what, unsigned int number)
{
    test.result->planted++;
    if (right) {
        test.result->named++;
    } else if (test.result->missed[0] == '\0') {
        struct text text;
        text_start(&text, test.result->missed, sizeof(test.result->missed));
        text_add(&text, "%s %u", what, number);
    }
}

static bool named_right(const struct plant *plant, enum form form)
{
    struct diagnosis diagnosis;
    char components[DIAGNOSIS_TEXT], registers[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
    diagnose(&test.finding, &diagnosis);
    diagnosis_components(&diagnosis, components);
    diagnosis_registers(&diagnosis, form, registers);
    diagnosis_bits(&diagnosis, bits);
    return diagnosis.corruption == plant->corruption && strcmp(components, plant->component) == 0 &&
           strcmp(registers, plant->registers) == 0 && strcmp(bits, plant->bits) == 0;
}

static void test_class(struct rounds *rounds, enum corruption corruption)
{
    struct round *round = &rounds->planted;
    enum form form = rounds->key.form;
    struct plant plant;
    rounds_fill(rounds, round, plant_init_components(corruption, form));
    const struct window *window = plant_class(round, &rounds->key, corruption, &plant);
    bool found = rounds_planted(rounds, round, window, &test.finding);
    record(found && named_right(&plant, form), class_name(corruption), corruption);
}

/* The quadword at this position, and nothing else, must be found to differ. */
static void test_position(struct rounds *rounds, unsigned int position)
{
    struct round *round = &rounds->planted;
    struct diagnosis diagnosis = {0};
    if (position % VECTOR_LANES == 0)
        rounds_fill(rounds, round, 0);
    const struct window *window = plant_bit(round, rounds->key.form, position);
    bool found = rounds_planted(rounds, round, window, &test.finding);
    if (found)
        diagnose(&test.finding, &diagnosis);
    uint32_t reg = plant_register(rounds->key.form, position);
    record(found && diagnosis.lane_count == 1 && diagnosis.lane[0].reg == reg, "bit in quadword",
           position);
}

/* And a round into which nothing was planted must come back intact. */
static void test_nothing(struct rounds *rounds)
{
    struct round *round = &rounds->planted;
    rounds_fill(rounds, round, 0);
    bool found = rounds_planted(rounds, round, &window_bare, &test.finding);
    record(!found, "nothing", 0);
}

static void plant_all(void *argument)
{
    struct vcpu *vcpu = argument;
    struct rounds *rounds = &vcpu->rounds;
    test_nothing(rounds);
    for (enum corruption corruption = 0; corruption < CLASS_COUNT; corruption++)
        test_class(rounds, corruption);
    for (unsigned int n = 0; n < plant_positions(rounds->key.form); n++)
        test_position(rounds, n);
}

void selftest_run(struct vcpu *vcpu, struct selftest *selftest)
{
    memset(selftest, 0, sizeof(*selftest));
    test.result = selftest;
    if (!vcpu_with_vectors(vcpu, plant_all)) {
        struct text text;
        text_start(&text, selftest->missed, sizeof(selftest->missed));
        text_add(&text, "stopped by %s at %lx", exception_name(vcpu->fault.vector),
                 vcpu->fault.rip);
    }
}
