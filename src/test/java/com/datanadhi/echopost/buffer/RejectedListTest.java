package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.record.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RejectedListTest extends BufferFixture {
  @Test
  void the_list_has_all_rejected_records_in_order_page_by_page_and_no_api_key() throws Exception {
    var _ =
        Appended.to(buffer, Appended.record("\"" + "é".repeat(100) + "\"", "s3cret", "k"))
            .outcome();
    Appended.store(
        buffer, IntStream.rangeClosed(2, 1_200).mapToObj(Integer::toString).toArray(String[]::new));
    buffer.close();
    Rejections.rejectAll(directory, 422);
    open();
    try (RejectedList list = RejectedList.open(directory)) {
      assertThat(list.lastId()).isEqualTo(1_200);
      long last = 0;
      for (List<RejectedList.Summary> page = list.after(0);
          !page.isEmpty();
          page = list.after(last)) {
        assertThat(page).hasSizeLessThanOrEqualTo(500);
        for (RejectedList.Summary entry : page) {
          assertThat(entry.id()).isEqualTo(++last);
        }
      }
      assertThat(last).isEqualTo(1_200);
      assertThat(list.after(0).getFirst())
          .isEqualTo(new RejectedList.Summary(1, 422, 1, 7, 202, "\"" + "é".repeat(59)));
    }
  }

  @Test
  void the_list_is_not_read_from_a_file_that_is_not_a_buffer() throws Exception {
    Path other = Files.createDirectory(directory.resolve("other"));
    try (Sqlite theirs = new Sqlite(other)) {
      theirs.execute("CREATE TABLE rejected (id, status)");
    }
    assertThatThrownBy(() -> RejectedList.open(other))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("is not a buffer of EchoPost");
    Files.writeString(other.resolve("buffer.db"), "garbage ".repeat(1_000));
    assertThatThrownBy(() -> RejectedList.open(other)).isInstanceOf(StorageException.class);
    assertThatThrownBy(() -> OfflineBuffer.open(other, new RecordKeys()))
        .isInstanceOf(StorageException.class);
    assertThat(other.resolve("buffer.db")).content().startsWith("garbage");
  }
}
