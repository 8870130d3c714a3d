/* Reads of disks, from a Block I/O protocol that is made up here: sizes that lie, and slow ones. */
#include "../../efi/core/machine/clock.h"
#include "../../efi/platform/disks.h"
#include "fake_firmware.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the firmware says of the disk, and how it answers a read. */
static EFI_BLOCK_IO_MEDIA media;
static bool queued; /* it has Block I/O 2 */
static EFI_STATUS answer;
static bool pulled; /* the firmware has taken the disk away */
static useconds_t delay;

/* The clock can run so much faster. */
#define FASTER 20u
static uint64_t tsc_hz;

/* What it was asked for. */
static unsigned int reads;
static EFI_LBA last_block;
static UINTN last_bytes;

static uint32_t disk; /* of this test: those of the tests before are not read any more */

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO_PROTOCOL *this, UINT32 medium, EFI_LBA block,
                                     UINTN bytes, VOID *buffer)
{
    (void)this;
    (void)buffer;
    assert_false(pulled);                       /* what is called then is no code any more */
    assert_int_equal(fake_level, TPL_CALLBACK); /* so that it cannot be pulled meanwhile */
    if (medium != media.MediaId)
        return EFI_MEDIA_CHANGED;
    reads++;
    last_block = block;
    last_bytes = bytes;
    (void)usleep(delay);
    return answer;
}

static EFI_STATUS EFIAPI read_blocks_ex(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 medium, EFI_LBA block,
                                        EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buffer)
{
    (void)this;
    token->TransactionStatus = EFI_SUCCESS;
    return read_blocks(NULL, medium, block, bytes, buffer);
}

static EFI_BLOCK_IO2_PROTOCOL block_io2 = {.Media = &media, .ReadBlocksEx = read_blocks_ex};
static EFI_BLOCK_IO_PROTOCOL block_io = {.Media = &media, .ReadBlocks = read_blocks};
static EFI_LOADED_IMAGE image = {.DeviceHandle = &block_io};

/* The handle of the program has an image, that of the disk Block I/O. */
static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **found)
{
    if (handle == &image)
        *found = &image;
    else if (pulled)
        return EFI_INVALID_PARAMETER;
    else if (is_guid(guid, (EFI_GUID)EFI_BLOCK_IO_PROTOCOL_GUID))
        *found = &block_io;
    else if (is_guid(guid, (EFI_GUID)EFI_BLOCK_IO2_PROTOCOL_GUID) && queued)
        *found = &block_io2;
    else
        return EFI_UNSUPPORTED;
    return EFI_SUCCESS;
}

static int found_disk_up_to(EFI_LBA block)
{
    image_handle = &image;
    fake_firmware((EFI_BOOT_SERVICES){.HandleProtocol = handle_protocol});
    answer = EFI_SUCCESS;
    delay = 0;
    reads = 0;
    pulled = false;
    media = (EFI_BLOCK_IO_MEDIA){.MediaPresent = TRUE, .BlockSize = 512, .LastBlock = block};
    assert_null(disks_find(false));
    return 0;
}

static int found_disk(void **state)
{
    (void)state;
    return found_disk_up_to(1023);
}

static int found_queued(void **state)
{
    queued = true;
    return found_disk(state);
}

static int found_all_blocks(void **state)
{
    (void)state;
    return found_disk_up_to(UINT64_MAX);
}

static int found_one_block(void **state)
{
    (void)state;
    return found_disk_up_to(0);
}

static int dropped_disk(void **state)
{
    (void)state;
    clock_set_rate(tsc_hz);
    answer = EFI_NO_MEDIA;
    delay = 0;
    queued = fake_late = false;
    (void)disks_poll(); /* takes what was in flight, */
    (void)disks_poll(); /* and begins no more */
    disk++;
    return 0;
}

static void the_last_read_ends_with_the_disk_and_the_next_is_the_first(void **state)
{
    (void)state;
    assert_false(disks_poll());
    assert_int_equal(last_block, 0);
    assert_int_equal(last_bytes, 131072);
    assert_false(disks_poll());
    assert_int_equal(last_block, 256);
    assert_int_equal(last_bytes, 262144);
    assert_false(disks_poll());
    assert_int_equal(last_block, 768);
    assert_int_equal(last_bytes, 131072);
    assert_false(disks_poll());
    assert_int_equal(last_block, 0);
}

static void a_disk_of_all_blocks_that_there_can_be_is_read(void **state)
{
    (void)state;
    struct disk_result result;
    assert_false(disks_poll());
    assert_int_equal(last_bytes, 131072);
    assert_true(disks_result(disk, &result));
    assert_true(result.blocks == UINT64_MAX);
    assert_int_equal(result.bytes, 131072);
}

static void a_disk_of_one_block_is_read(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 3; n++) {
        assert_false(disks_poll());
        assert_int_equal(last_block, 0);
        assert_int_equal(last_bytes, 512);
    }
}

static void a_slow_read_is_told_once_and_was_no_standstill(void **state)
{
    (void)state;
    delay = 1100000;
    assert_true(disks_poll());
    assert_non_null(strstr(fake_told, "a read kept the firmware, and the boot vCPU with it, for "));
    fake_told[0] = '\0';
    assert_true(disks_poll());
    assert_string_equal(fake_told, "");
    delay = 0;
    assert_false(disks_poll());
}

static void a_medium_that_is_gone_is_not_read_any_more(void **state)
{
    (void)state;
    answer = EFI_MEDIA_CHANGED;
    assert_false(disks_poll());
    assert_non_null(strstr(fake_told, "failed (EFI_MEDIA_CHANGED): it is not read any more"));
    assert_false(disks_poll());
    assert_int_equal(reads, 1);
}

/* Nobody said that this one may be read, nor that it is the same. */
static void another_medium_is_not_read(void **state)
{
    (void)state;
    struct disk_result result;
    assert_false(disks_poll());
    assert_false(disks_poll());
    assert_int_equal(reads, 2);
    media.MediaId++;
    assert_false(disks_poll()); /* which takes what was in flight, if anything was */
    assert_int_equal(reads, 2);
    assert_non_null(strstr(fake_told, "failed (EFI_MEDIA_CHANGED): it is not read any more, as it "
                                      "has another medium than at first: leave one in, and start "
                                      "the test again"));
    assert_false(disks_poll());
    assert_int_equal(reads, 2);
    assert_true(disks_result(disk, &result) && result.failed && disks_activity()->over);
}

/* Its memory is someone else's: edk2 fills it with AFh, and calls went there. */
static void a_disk_that_the_firmware_took_away_is_not_touched(void **state)
{
    (void)state;
    struct disk_result result;
    assert_false(disks_poll());
    pulled = true;
    memset(&media, 0xaf, sizeof(media));
    assert_false(disks_poll());
    assert_int_equal(reads, 1);
    assert_non_null(strstr(fake_told, "failed (EFI_NO_MEDIA): it is not read any more"));
    assert_int_equal(fake_level, TPL_APPLICATION);
    assert_true(disks_result(disk, &result));
    assert_true(result.failed && result.blocks == 1024 && result.block_bytes == 512);
}

/* Nothing tells of the end of what was in flight. */
static void a_disk_that_is_gone_with_a_read_in_flight_is_told_as_soon_as_that_is_late(void **state)
{
    (void)state;
    struct disk_result result;
    clock_set_rate(tsc_hz / FASTER);
    fake_late = true;
    assert_false(disks_poll());
    assert_int_equal(disks_activity()->in_flight, 1);
    (void)usleep(10500000 / FASTER);
    assert_false(disks_poll());
    assert_non_null(strstr(fake_told, "has not come back for 10 s: it is waited for"));
    assert_int_equal(disks_activity()->in_flight, 1);
    fake_told[0] = '\0';
    pulled = true;
    assert_false(disks_poll());
    assert_non_null(strstr(fake_told, "failed (EFI_NO_MEDIA): it is not read any more, as it or "
                                      "its medium was taken away: put it back"));
    assert_true(!disks_activity()->in_flight && disks_activity()->over);
    assert_true(disks_result(disk, &result) && result.failed);
    fake_told[0] = '\0';
    assert_false(disks_poll());
    assert_true(disks_rest() && disks_stop()); /* so that the result files go on */
    assert_string_equal(fake_told, "");
    assert_int_equal(reads, 1);
}

static void after_an_error_it_rests_and_is_read_again(void **state)
{
    (void)state;
    struct disk_result result;
    answer = EFI_TIMEOUT;
    assert_false(disks_poll());
    assert_non_null(strstr(fake_told, "failed (EFI_TIMEOUT): it is tried again"));
    assert_true(disks_result(disk, &result) && !result.failed);
    assert_false(disks_poll());
    assert_int_equal(reads, 1);
    (void)usleep(1100000);
    assert_false(disks_poll());
    assert_int_equal(reads, 2);
    assert_true(disks_result(disk, &result) && result.failed);
    (void)usleep(2100000);
    answer = EFI_SUCCESS;
    assert_false(disks_poll());
    assert_int_equal(reads, 3);
    assert_non_null(strstr(fake_told, "can be read again, after "));
    assert_true(disks_result(disk, &result) && !result.failed);
}

static void after_an_error_that_kept_the_firmware_it_is_not_read_any_more(void **state)
{
    (void)state;
    answer = EFI_TIMEOUT;
    delay = 1100000;
    assert_true(disks_poll());
    assert_non_null(strstr(fake_told, "failed (EFI_TIMEOUT): it is not read any more"));
    assert_true(!disks_activity()->in_flight && disks_activity()->over);
}

#define TEST_OF(setup, f) cmocka_unit_test_setup_teardown(f, setup, dropped_disk)
#define DISK_TEST(f)      TEST_OF(found_disk, f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISK_TEST(the_last_read_ends_with_the_disk_and_the_next_is_the_first),
        TEST_OF(found_all_blocks, a_disk_of_all_blocks_that_there_can_be_is_read),
        TEST_OF(found_one_block, a_disk_of_one_block_is_read),
        DISK_TEST(a_slow_read_is_told_once_and_was_no_standstill),
        DISK_TEST(a_medium_that_is_gone_is_not_read_any_more),
        DISK_TEST(another_medium_is_not_read),
        TEST_OF(found_queued, another_medium_is_not_read),
        DISK_TEST(a_disk_that_the_firmware_took_away_is_not_touched),
        TEST_OF(found_queued,
                a_disk_that_is_gone_with_a_read_in_flight_is_told_as_soon_as_that_is_late),
        DISK_TEST(after_an_error_it_rests_and_is_read_again),
        DISK_TEST(after_an_error_that_kept_the_firmware_it_is_not_read_any_more),
    };
    tsc_hz = clock_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
