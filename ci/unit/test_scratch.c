/* Writes to scratch partitions, by firmware that is made up here: which partitions are taken, what
 * is written where, and what is made of what comes back. */
#include "../../efi/core/machine/clock.h"
#include "../../efi/platform/scratch.h"
#include "../../efi/uefi/scratch_find.h"
#include "fake_firmware.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK      512u
#define BYTES_MOST (UINT32_C(8) << 20)
#define PARTITIONS 3u

/* A node of a partition, and the end. */
struct path {
    uint8_t node[42], end[4];
};

/* A partition as the firmware has it. */
static struct fake {
    EFI_BLOCK_IO_PROTOCOL block_io;
    EFI_BLOCK_IO2_PROTOCOL block_io2;
    EFI_BLOCK_IO_MEDIA media;
    struct path path;
    uint8_t data[BYTES_MOST];
    bool queued;       /* it has Block I/O 2 */
    bool pulled;       /* the firmware has taken it away */
    EFI_STATUS answer; /* of reads and writes */
    useconds_t delay;
    uint32_t lost,
        elsewhere; /* this write from now on is lost; goes to the block before; 0: none */
    uint32_t reads, writes;
    bool read_out_of_bounds;
} fake[PARTITIONS];

/* The clock can run so much faster. */
#define FASTER 20u
static uint64_t tsc_hz;

static uint32_t partitions;
static bool says_types;  /* the firmware does, by protocols */
static struct fake disk; /* that the first partition is on */

static void transfer(struct fake *of, EFI_LBA block, UINTN bytes, void *buffer, bool write)
{
    bool outside = block > of->media.LastBlock || bytes > (of->media.LastBlock + 1 - block) * BLOCK;
    of->read_out_of_bounds |= outside || bytes % BLOCK;
    if (outside)
        return;
    if (!write) {
        memcpy(buffer, of->data + block * BLOCK, bytes);
    } else if (of->lost && --of->lost == 0) {
        return;
    } else if (of->elsewhere && --of->elsewhere == 0) {
        memcpy(of->data + (block - 1) * BLOCK, buffer, bytes);
    } else {
        memcpy(of->data + block * BLOCK, buffer, bytes);
    }
}

/* The members are at these places of a struct fake. */
static struct fake *by_block_io(EFI_BLOCK_IO_PROTOCOL *io)
{
    return (struct fake *)io;
}

static struct fake *by_block_io2(EFI_BLOCK_IO2_PROTOCOL *io)
{
    return (struct fake *)((char *)io - offsetof(struct fake, block_io2));
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO_PROTOCOL *io, UINT32 medium, EFI_LBA block,
                                     UINTN bytes, VOID *buffer)
{
    struct fake *of = by_block_io(io);
    if (medium != of->media.MediaId)
        return EFI_MEDIA_CHANGED;
    assert_false(of->pulled); /* what is called then is no code any more */
    of->reads++;
    (void)usleep(of->delay);
    if (!EFI_ERROR(of->answer))
        transfer(of, block, bytes, buffer, false);
    return of->answer;
}

static EFI_STATUS EFIAPI write_blocks(EFI_BLOCK_IO_PROTOCOL *io, UINT32 medium, EFI_LBA block,
                                      UINTN bytes, VOID *buffer)
{
    struct fake *of = by_block_io(io);
    if (medium != of->media.MediaId)
        return EFI_MEDIA_CHANGED;
    assert_false(of->pulled);
    assert_int_equal(fake_level, TPL_CALLBACK); /* so that it cannot be pulled meanwhile */
    of->writes++;
    (void)usleep(of->delay);
    if (!EFI_ERROR(of->answer))
        transfer(of, block, bytes, buffer, true);
    return of->answer;
}

static EFI_STATUS EFIAPI read_blocks_ex(EFI_BLOCK_IO2_PROTOCOL *io, UINT32 medium, EFI_LBA block,
                                        EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buffer)
{
    struct fake *of = by_block_io2(io);
    if (medium != of->media.MediaId)
        return EFI_MEDIA_CHANGED;
    token->TransactionStatus = read_blocks(&of->block_io, medium, block, bytes, buffer);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI write_blocks_ex(EFI_BLOCK_IO2_PROTOCOL *io, UINT32 medium, EFI_LBA block,
                                         EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buffer)
{
    struct fake *of = by_block_io2(io);
    if (medium != of->media.MediaId)
        return EFI_MEDIA_CHANGED;
    token->TransactionStatus = write_blocks(&of->block_io, medium, block, bytes, buffer);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **found)
{
    struct fake *of = handle;
    if (of->pulled)
        return EFI_INVALID_PARAMETER;
    if (is_guid(guid, (EFI_GUID)EFI_BLOCK_IO_PROTOCOL_GUID))
        *found = &of->block_io;
    else if (is_guid(guid, (EFI_GUID)EFI_BLOCK_IO2_PROTOCOL_GUID) && of->queued)
        *found = &of->block_io2;
    else if (is_guid(guid, (EFI_GUID)EFI_DEVICE_PATH_PROTOCOL_GUID))
        *found = &of->path;
    else
        return EFI_UNSUPPORTED;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE by, EFI_GUID *guid, VOID *key,
                                              UINTN *count, EFI_HANDLE **handles)
{
    static EFI_HANDLE buffer[PARTITIONS + 1];
    bool of_type = is_guid(guid, (EFI_GUID)SCRATCH_TYPE_GUID);
    (void)key;
    assert_int_equal(by, ByProtocol);
    assert_true(of_type || is_guid(guid, (EFI_GUID)EFI_BLOCK_IO_PROTOCOL_GUID));
    if (of_type && (!says_types || !partitions))
        return EFI_NOT_FOUND;
    for (uint32_t n = 0; n < partitions; n++)
        buffer[n] = &fake[n];
    buffer[partitions] = &disk;
    *count = partitions + !of_type;
    *handles = buffer;
    return EFI_SUCCESS;
}

/* The path of a disk is empty. */
static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH **path,
                                            EFI_HANDLE *handle)
{
    assert_true(is_guid(guid, (EFI_GUID)EFI_BLOCK_IO_PROTOCOL_GUID));
    assert_int_equal((*path)->Type, 0x7f);
    *handle = &disk;
    return EFI_SUCCESS;
}

static void sign(struct fake *of, uint64_t bytes)
{
    char words[64];
    (void)snprintf(words, sizeof(words), "zmmtest scratch partition, version 1, bytes=%lu", bytes);
    for (uint32_t n = 0; n < 8; n++) {
        char line[65];
        (void)snprintf(line, sizeof(line), "%-63.63s\n", words);
        memcpy(of->data + (size_t)n * 64, line, 64);
    }
}

/* A good one of this size, filled with what somebody else may have left there. */
static void make(struct fake *of, uint64_t bytes)
{
    *of = (struct fake){
        .block_io = {.Media = &of->media, .ReadBlocks = read_blocks, .WriteBlocks = write_blocks},
        .block_io2 = {.Media = &of->media,
                      .ReadBlocksEx = read_blocks_ex,
                      .WriteBlocksEx = write_blocks_ex},
        .media = {.MediaPresent = TRUE,
                  .LogicalPartition = TRUE,
                  .BlockSize = BLOCK,
                  .LastBlock = bytes / BLOCK - 1},
        .path = {.node = {4, 1, 42, 0}, .end = {0x7f, 0xff, 4, 0}}};
    of->path.node[24] = (uint8_t)(1 + (of - fake)); /* of the partition's GUID */
    of->path.node[40] = 2;                          /* a GPT, */
    of->path.node[41] = 2;                          /* with GUIDs */
    memset(of->data, 0xee, sizeof(of->data));
    sign(of, bytes);
}

/* A GPT whose sixth entry is the first partition: four are in a block. */
#define ENTRY_BLOCK 3u
static uint8_t *entry(void)
{
    return disk.data + (size_t)ENTRY_BLOCK * BLOCK + 128;
}

static void make_disk(void)
{
    const EFI_GUID type = SCRATCH_TYPE_GUID;
    const uint64_t first = 2048, last = first + fake[0].media.LastBlock, entries_block = 2;
    const uint32_t entries = 128, entry_bytes = 128;
    make(&disk, UINT32_C(8) << 20);
    disk.media.LogicalPartition = FALSE;
    memset(disk.data, 0, sizeof(disk.data));
    memcpy(disk.data + BLOCK, "EFI PART", 8);
    memcpy(disk.data + BLOCK + 72, &entries_block, 8);
    memcpy(disk.data + BLOCK + 80, &entries, 4);
    memcpy(disk.data + BLOCK + 84, &entry_bytes, 4);
    memcpy(entry(), &type, 16);
    memcpy(entry() + 16, fake[0].path.node + 24, 16);
    memcpy(entry() + 32, &first, 8);
    memcpy(entry() + 40, &last, 8);
    memcpy(fake[0].path.node + 8, &first, 8);
    const uint64_t blocks = last - first + 1;
    memcpy(fake[0].path.node + 16, &blocks, 8);
}

static int one_partition(void **state)
{
    (void)state;
    fake_firmware((EFI_BOOT_SERVICES){.HandleProtocol = handle_protocol,
                                      .LocateHandleBuffer = locate_handle_buffer,
                                      .LocateDevicePath = locate_device_path});
    says_types = true;
    partitions = 1;
    make(&fake[0], UINT32_C(4) << 20);
    make_disk();
    return 0;
}

static int freed(void **state)
{
    (void)state;
    clock_set_rate(tsc_hz);
    scratch_free();
    return 0;
}

static const char *find(void)
{
    const struct scratch_plan plan = {.run = 0xd139, .vcpu = 0, .tsc_hz = 1000000000};
    return scratch_find(&plan);
}

static struct scratch_result result_of(uint32_t number)
{
    struct scratch_result result = {0};
    assert_true(scratch_result(number, &result));
    return result;
}

static uint64_t sum_of(const struct fake *of)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < BYTES_MOST; n++)
        sum = sum * 31 + of->data[n];
    return sum;
}

/* It is not taken, for this reason, and nothing is written there. */
static void refuses(const char *reason)
{
    uint64_t before = sum_of(&fake[0]);
    const char *said = find();
    assert_non_null(said);
    assert_non_null(strstr(said, reason));
    assert_non_null(strstr(fake_told, reason));
    for (uint32_t n = 0; n < 10; n++)
        (void)scratch_poll(SCRATCH_MIXED);
    assert_int_equal(fake[0].writes, 0);
    assert_true(sum_of(&fake[0]) == before);
}

static void without_a_partition_there_is_a_reason(void **state)
{
    (void)state;
    partitions = 0;
    assert_string_equal(find(), "no disk has a scratch partition (image/make-scratch makes one)");
}

static void one_without_a_signature_is_refused(void **state)
{
    (void)state;
    memset(fake[0].data, 0, BLOCK);
    refuses("its first block has no signature");
}

static void one_with_a_torn_signature_is_refused(void **state)
{
    (void)state;
    memset(fake[0].data + 256, 0, 256);
    refuses("its signature is torn");
}

static void one_with_the_signature_of_another_size_is_refused(void **state)
{
    (void)state;
    fake[0].media.LastBlock++;
    refuses("its signature is of another size or version");
}

static void one_that_is_read_only_is_refused(void **state)
{
    (void)state;
    fake[0].media.ReadOnly = TRUE;
    refuses("it is read-only");
}

static void one_that_is_too_small_is_refused(void **state)
{
    (void)state;
    make(&fake[0], (UINT32_C(4) << 20) - BLOCK);
    refuses("it is smaller than 4 MiB");
}

static void one_without_a_medium_is_refused(void **state)
{
    (void)state;
    fake[0].media.MediaPresent = FALSE;
    refuses("there is no medium in it");
}

static void one_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    fake[0].answer = EFI_DEVICE_ERROR;
    refuses("its first block cannot be read");
}

static void a_whole_disk_is_refused(void **state)
{
    (void)state;
    fake[0].media.LogicalPartition = FALSE;
    refuses("the firmware does not say that it is bounded");
}

static void one_of_an_mbr_is_refused(void **state)
{
    (void)state;
    fake[0].path.node[40] = 1;
    fake[0].path.node[41] = 1;
    refuses("its device path is not that of a partition of a GPT");
}

static void a_device_path_that_lies_is_refused(void **state)
{
    (void)state;
    fake[0].path.node[2] = 41;
    memset(fake[0].path.end, 0, sizeof(fake[0].path.end)); /* a node without a length, for ever */
    refuses("its device path is not that of a partition of a GPT");
}

static void blocks_of_a_strange_size_are_refused(void **state)
{
    (void)state;
    const uint32_t sizes[] = {0, 1, 256, 520, 8192, 1u << 31};
    for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        fake[0].media.BlockSize = sizes[n];
        fake_told[0] = '\0';
        refuses("its blocks have a strange size");
    }
}

static void of_two_with_the_same_guid_one_is_refused(void **state)
{
    (void)state;
    partitions = 3;
    make(&fake[1], UINT32_C(4) << 20);
    make(&fake[2], UINT32_C(8) << 20);
    fake[1].path.node[24] = fake[0].path.node[24];
    assert_null(find());
    assert_non_null(strstr(fake_told, "another has the same GUID"));
    (void)scratch_poll(SCRATCH_MIXED);
    assert_true(fake[0].writes && !fake[1].writes && fake[2].writes);
}

static void where_the_firmware_says_no_types_the_table_does(void **state)
{
    (void)state;
    says_types = false;
    assert_null(find());
    (void)scratch_poll(SCRATCH_MIXED);
    assert_true(fake[0].writes > 0);
    assert_int_equal(disk.writes, 0);
    assert_false(disk.read_out_of_bounds);
}

/* Each bit of header and entry that says what it is counts: another one, and nothing is written. */
static void a_table_that_says_something_else_is_believed(void **state)
{
    (void)state;
    const uint32_t of_header[] = {0, 7, 72, 80, 84, 87},
                   of_entry[] = {0, 15, 16, 31, 32, 39, 40, 47};
    says_types = false;
    for (size_t n = 0; n < sizeof(of_entry) / sizeof(of_entry[0]); n++) {
        entry()[of_entry[n]] ^= 1;
        assert_non_null(find());
        entry()[of_entry[n]] ^= 1;
    }
    for (size_t n = 0; n < sizeof(of_header) / sizeof(of_header[0]); n++) {
        uint8_t *byte = disk.data + BLOCK + of_header[n], was = *byte;
        *byte = of_header[n] == 80 ? 4 : 0xff; /* four entries: the sixth is none of them */
        assert_non_null(find());
        *byte = was;
    }
    assert_false(fake[0].writes || disk.writes);
    assert_null(find());
}

static void without_a_table_there_is_a_reason(void **state)
{
    (void)state;
    says_types = false;
    memset(disk.data, 0xee, sizeof(disk.data));
    assert_string_equal(find(), "no disk has a scratch partition (image/make-scratch makes one)");
    disk.answer = EFI_DEVICE_ERROR;
    assert_non_null(find());
}

/* So many polls, and nothing is wrong. */
static void goes_on(uint32_t polls, enum scratch_work work)
{
    for (uint32_t n = 0; n < polls; n++)
        (void)scratch_poll(work);
    assert_false(fake[0].read_out_of_bounds);
    assert_int_equal(scratch_wrong_blocks(), 0);
}

static void all_is_written_and_read_back_but_the_first_page(void **state)
{
    (void)state;
    static uint8_t first[4096];
    fake[0].queued = true;
    memcpy(first, fake[0].data, sizeof(first));
    assert_null(find());
    goes_on(600, SCRATCH_MIXED);
    struct scratch_result result = result_of(0);
    assert_true(result.writes.bytes > UINT32_C(8) << 20); /* twice */
    assert_true(result.reads.bytes > UINT32_C(4) << 20);
    assert_true(result.writes.most >= 5 && result.writes.most <= 7);
    assert_true(result.reads.most > 1);
    assert_string_equal(result.by, "block-io-2");
    assert_true(!result.failed && !result.waiting);
    assert_memory_equal(first, fake[0].data, sizeof(first));
    for (size_t at = sizeof(first); at < UINT32_C(4) << 20; at += 8)
        assert_memory_not_equal(fake[0].data + at, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
    for (size_t at = UINT32_C(4) << 20; at < BYTES_MOST; at++)
        assert_int_equal(fake[0].data[at], 0xee);
}

static void what_is_asked_for_is_in_flight(void **state)
{
    (void)state;
    fake[0].queued = true;
    assert_null(find());
    (void)scratch_poll(SCRATCH_MIXED); /* the first write is waited for, */
    assert_int_equal(result_of(0).writes.count, 1);
    assert_true(scratch_activity()->writes == 0 && scratch_activity()->mixed == 0);
    for (uint32_t n = 0; n < 300; n++) { /* so that from then on there is something to read */
        (void)scratch_poll(SCRATCH_WRITES);
        assert_true(scratch_activity()->writes > 0);
        (void)scratch_poll(SCRATCH_MIXED);
        assert_true(scratch_activity()->writes > 0);
        assert_true(scratch_activity()->mixed > 0);
    }
    assert_false(scratch_activity()->blocking);
    assert_true(scratch_stop());
    assert_int_equal(scratch_activity()->over, false);
}

static void without_block_io_2_the_boot_vcpu_waits(void **state)
{
    (void)state;
    assert_null(find());
    assert_true(scratch_activity()->blocking);
    goes_on(100, SCRATCH_MIXED);
    struct scratch_result result = result_of(0);
    assert_true(result.waiting && result.writes.count == 100 && result.reads.count >= 99);
    uint64_t reads = result.reads.count;
    goes_on(20, SCRATCH_WRITES);
    assert_true(result_of(0).reads.count == reads);
    assert_int_equal(scratch_activity()->writes, 0);
}

static void a_write_that_is_lost_is_found(void **state)
{
    (void)state;
    struct wrong_block wrong;
    fake[0].queued = true;
    assert_null(find());
    goes_on(20, SCRATCH_MIXED);
    fake[0].lost = 1;
    for (uint32_t n = 0; n < 600; n++)
        (void)scratch_poll(SCRATCH_MIXED);
    assert_true(scratch_wrong_blocks() > 0);
    assert_true(result_of(0).wrong == scratch_wrong_blocks());
    assert_true(scratch_next_wrong(&wrong));
    assert_int_equal(wrong.origin, ORIGIN_FOREIGN); /* what was there before the run */
    assert_int_equal(wrong.word[0].got, UINT64_C(0xeeeeeeeeeeeeeeee));
    assert_int_equal(wrong.partition, 0);
    assert_true(wrong.request > 0 && wrong.block >= 8);
}

static void a_write_to_another_block_is_found(void **state)
{
    (void)state;
    struct wrong_block wrong;
    assert_null(find());
    goes_on(20, SCRATCH_MIXED);
    fake[0].elsewhere = 1;
    (void)scratch_poll(SCRATCH_MIXED);
    fake[0].elsewhere = 1; /* the one or the other is of several blocks */
    for (uint32_t n = 0; n < 200; n++)
        (void)scratch_poll(SCRATCH_MIXED);
    do
        assert_true(scratch_next_wrong(&wrong));
    while (wrong.origin != ORIGIN_SWAPPED);
    assert_int_equal(wrong.from_block, wrong.block + 1);
    assert_true(wrong.from_generation == wrong.generation);
}

static void an_error_rests_it_and_what_was_not_written_is_not_read(void **state)
{
    (void)state;
    assert_null(find());
    goes_on(10, SCRATCH_MIXED);
    fake[0].answer = EFI_DEVICE_ERROR;
    (void)scratch_poll(SCRATCH_MIXED);
    assert_non_null(strstr(fake_told, "the write of "));
    assert_non_null(strstr(fake_told, "failed (EFI_DEVICE_ERROR): it is tried again"));
    uint32_t writes = fake[0].writes;
    (void)scratch_poll(SCRATCH_MIXED);
    assert_int_equal(fake[0].writes, writes);
    (void)usleep(1100000);
    fake[0].answer = EFI_SUCCESS;
    goes_on(600, SCRATCH_MIXED);
    assert_non_null(strstr(fake_told, "it can be used again, after "));
    assert_false(result_of(0).failed);
}

static void one_that_is_gone_is_left_alone(void **state)
{
    (void)state;
    const EFI_STATUS answers[] = {EFI_NO_MEDIA, EFI_MEDIA_CHANGED, EFI_WRITE_PROTECTED};
    for (size_t n = 0; n < 3; n++) {
        assert_null(find());
        goes_on(10, SCRATCH_MIXED);
        fake[0].answer = answers[n];
        (void)scratch_poll(SCRATCH_MIXED);
        assert_non_null(strstr(fake_told, "it is left alone from now on"));
        assert_true(scratch_activity()->over && result_of(0).failed);
        uint32_t writes = fake[0].writes;
        (void)scratch_poll(SCRATCH_MIXED);
        assert_int_equal(fake[0].writes, writes);
        scratch_free();
        fake[0].answer = EFI_SUCCESS;
    }
}

/* Somebody else's, for all that anybody knows. */
static void another_medium_is_never_written(void **state)
{
    (void)state;
    for (unsigned int queued = 0; queued < 2; queued++) {
        fake[0].queued = queued;
        assert_null(find());
        goes_on(10, SCRATCH_MIXED);
        fake[0].media.MediaId++;
        uint32_t writes = fake[0].writes, reads = fake[0].reads;
        for (uint32_t n = 0; n < 10; n++)
            (void)scratch_poll(SCRATCH_MIXED);
        assert_true(fake[0].writes == writes && fake[0].reads == reads);
        assert_non_null(strstr(fake_told, "failed (EFI_MEDIA_CHANGED): it is left alone from now "
                                          "on, as it has another medium than at first: leave one "
                                          "in, and start the test again"));
        assert_true(scratch_activity()->over && result_of(0).failed);
        assert_int_equal(scratch_wrong_blocks(), 0);
        scratch_free();
        fake_told[0] = '\0';
    }
}

/* Nothing tells of the end of what was in flight. */
static void
one_that_is_gone_with_requests_in_flight_is_told_once_as_soon_as_they_are_late(void **state)
{
    (void)state;
    fake[0].queued = true;
    assert_null(find());
    goes_on(10, SCRATCH_MIXED);
    clock_set_rate(tsc_hz / FASTER);
    fake_late = true;
    (void)scratch_poll(SCRATCH_MIXED);
    assert_true(scratch_activity()->writes > 0 && scratch_activity()->mixed > 0);
    (void)usleep(10500000 / FASTER);
    (void)scratch_poll(SCRATCH_MIXED);
    assert_non_null(strstr(fake_told, "has not come back for 10 s: it is waited for"));
    fake_told[0] = '\0';
    fake[0].pulled = true;
    (void)scratch_poll(SCRATCH_MIXED);
    const char *first = strstr(fake_told, "failed (EFI_NO_MEDIA): it is left alone from now on, as "
                                          "it or its medium was taken away: put it back");
    assert_non_null(first);
    assert_null(strstr(first + 1, "failed"));
    assert_true(!scratch_activity()->writes && !scratch_activity()->mixed);
    assert_true(scratch_activity()->over && result_of(0).failed);
    fake_told[0] = '\0';
    assert_true(scratch_rest() && scratch_stop());
    assert_string_equal(fake_told, "");
}

static void one_that_the_firmware_took_away_is_not_touched(void **state)
{
    (void)state;
    for (unsigned int queued = 0; queued < 2; queued++) {
        fake[0].queued = queued;
        assert_null(find());
        goes_on(10, SCRATCH_MIXED);
        fake[0].pulled = true;
        memset(&fake[0].media, 0xaf, sizeof(fake[0].media));
        (void)scratch_poll(SCRATCH_MIXED);
        assert_non_null(strstr(fake_told, "failed (EFI_NO_MEDIA): it is left alone from now on"));
        assert_true(scratch_activity()->over && result_of(0).failed);
        assert_int_equal(fake_level, TPL_APPLICATION);
        scratch_free();
        fake_told[0] = '\0';
        make(&fake[0], UINT32_C(4) << 20);
    }
}

static void what_does_not_come_back_is_waited_for(void **state)
{
    (void)state;
    fake[0].queued = true;
    assert_null(find());
    fake_late = true;
    (void)scratch_poll(SCRATCH_MIXED);
    (void)scratch_poll(SCRATCH_MIXED);
    uint64_t since = clock_milliseconds();
    assert_false(scratch_rest());
    assert_true(clock_milliseconds() - since < 2000);
    assert_true(scratch_activity()->writes > 0);
    fake_late = false;
    assert_true(scratch_rest());
    assert_int_equal(scratch_activity()->writes, 0);
}

static void a_slow_one_is_told_once_and_was_no_standstill(void **state)
{
    (void)state;
    assert_null(find());
    fake[0].delay = 1100000;
    assert_true(scratch_poll(SCRATCH_WRITES));
    assert_non_null(
        strstr(fake_told, "a write kept the firmware, and the boot vCPU with it, for "));
    fake_told[0] = '\0';
    assert_true(scratch_poll(SCRATCH_WRITES));
    assert_string_equal(fake_told, "");
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, one_partition, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(without_a_partition_there_is_a_reason),
        SCRATCH_TEST(one_without_a_signature_is_refused),
        SCRATCH_TEST(one_with_a_torn_signature_is_refused),
        SCRATCH_TEST(one_with_the_signature_of_another_size_is_refused),
        SCRATCH_TEST(one_that_is_read_only_is_refused),
        SCRATCH_TEST(one_that_is_too_small_is_refused),
        SCRATCH_TEST(one_without_a_medium_is_refused),
        SCRATCH_TEST(one_that_cannot_be_read_is_refused),
        SCRATCH_TEST(a_whole_disk_is_refused),
        SCRATCH_TEST(one_of_an_mbr_is_refused),
        SCRATCH_TEST(a_device_path_that_lies_is_refused),
        SCRATCH_TEST(blocks_of_a_strange_size_are_refused),
        SCRATCH_TEST(of_two_with_the_same_guid_one_is_refused),
        SCRATCH_TEST(where_the_firmware_says_no_types_the_table_does),
        SCRATCH_TEST(a_table_that_says_something_else_is_believed),
        SCRATCH_TEST(without_a_table_there_is_a_reason),
        SCRATCH_TEST(all_is_written_and_read_back_but_the_first_page),
        SCRATCH_TEST(what_is_asked_for_is_in_flight),
        SCRATCH_TEST(without_block_io_2_the_boot_vcpu_waits),
        SCRATCH_TEST(a_write_that_is_lost_is_found),
        SCRATCH_TEST(a_write_to_another_block_is_found),
        SCRATCH_TEST(an_error_rests_it_and_what_was_not_written_is_not_read),
        SCRATCH_TEST(one_that_is_gone_is_left_alone),
        SCRATCH_TEST(another_medium_is_never_written),
        SCRATCH_TEST(
            one_that_is_gone_with_requests_in_flight_is_told_once_as_soon_as_they_are_late),
        SCRATCH_TEST(one_that_the_firmware_took_away_is_not_touched),
        SCRATCH_TEST(what_does_not_come_back_is_waited_for),
        SCRATCH_TEST(a_slow_one_is_told_once_and_was_no_standstill),
    };
    tsc_hz = clock_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
