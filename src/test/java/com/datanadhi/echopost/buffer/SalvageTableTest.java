package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.salvage.Salvage;
import java.sql.Connection;
import org.junit.jupiter.api.Test;

class SalvageTableTest extends BufferFixture {
  @Test
  void the_list_of_salvages_changes_with_a_commit_and_not_with_a_rollback() throws Exception {
    buffer.close();
    Salvage.Source source =
        new Salvage.Source(directory.resolve("damaged.db").toAbsolutePath(), 1L << 40);
    try (Connection connection = Database.openWriter(directory.resolve("buffer.db"), 1 << 20, 50);
        BufferWriter writer =
            new BufferWriter(connection, directory.resolve("buffer.db"), new RecordKeys())) {
      writer.begin();
      assertThat(writer.beginSalvage(source)).isEqualTo(1);
      assertThat(writer.salvages()).isEmpty();
      writer.rollback();
      assertThat(writer.salvages()).isEmpty();

      int _ = writer.transact(() -> writer.beginSalvage(source));
      assertThat(writer.salvages()).containsExactly(source);

      writer.begin();
      assertThat(writer.endSalvage(source)).isEqualTo(1);
      assertThat(writer.salvages()).containsExactly(source);
      writer.commit();
      assertThat(writer.salvages()).isEmpty();
    }
    open();
  }
}
