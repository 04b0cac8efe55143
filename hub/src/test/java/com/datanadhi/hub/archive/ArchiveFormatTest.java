package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.view.StoredEvent;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The objects as the contract has them: what was written by a first version is read by each later
/// one, and written again with the same bytes.
class ArchiveFormatTest {
  private static final String DAY = "archive/acme/2023-11-14/";
  private static final String DATA = DAY + "segment_000001.jsonl.gz";
  private static final String CHECKSUM = DAY + "segment_000001.checksum";
  private static final String MARK = "archive/acme/retained_00000000000000000003.json";

  @TempDir private Path home;

  private static Path golden() throws Exception {
    return Path.of(ArchiveFormatTest.class.getResource("golden").toURI());
  }

  private static void storeRecords(ArchivedHub hub) throws Exception {
    hub.store("acme", "k-1", "{\"a\":1e400,\"a\":-0.0}");
    hub.at(ArchivedHub.START + 42);
    hub.store("acme", "k-2", "{\r\n\t\"b\":\"\\u00e4\u00e4\"\n}", "[]", "null");
  }

  private static byte[] unpacked(Path file) throws Exception {
    try (var in = new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(file)))) {
      return in.readAllBytes();
    }
  }

  @Test
  void a_segment_of_a_first_version_is_sound_and_has_its_records() throws Exception {
    FolderStore store = new FolderStore(golden());
    ArchiveVerifier.Report report =
        new ArchiveVerifier(store).verify("acme", 4L, new TreeMap<>(Map.of()));
    assertThat(report.faults()).isEmpty();
    List<StoredEvent> events = new ArrayList<>();
    long last = new ArchiveReader(store).read("acme", 1, null, events::add);
    assertThat(last).isEqualTo(4);
    assertThat(events)
        .extracting(event -> new String(event.logData(), UTF_8))
        .containsExactly(
            "{\"a\":1e400,\"a\":-0.0}", "{\r\n\t\"b\":\"\\u00e4\u00e4\"\n}", "[]", "null");
  }

  @Test
  void the_same_records_are_written_as_the_same_lines() throws Exception {
    try (ArchivedHub hub = new ArchivedHub(home)) {
      storeRecords(hub);
      hub.archive();
      assertThat(new String(unpacked(hub.objects.resolve(DATA)), UTF_8))
          .isEqualTo(new String(unpacked(golden().resolve(DATA)), UTF_8))
          .isEqualTo(Files.readString(golden().resolve("lines.jsonl")));
      // The packed bytes depend on the version of zlib, and so do their digest and number.
      SegmentChecksum mine =
          SegmentChecksum.decode("mine", Files.readAllBytes(hub.objects.resolve(CHECKSUM)));
      SegmentChecksum golden =
          SegmentChecksum.decode("golden", Files.readAllBytes(golden().resolve(CHECKSUM)));
      assertThat(mine)
          .usingRecursiveComparison()
          .ignoringFields("bytes", "sha256")
          .isEqualTo(golden);
    }
  }

  @Test
  void checksums_and_marks_are_written_with_the_same_bytes() throws Exception {
    byte[] checksum = Files.readAllBytes(golden().resolve(CHECKSUM));
    assertThat(SegmentChecksum.decode(CHECKSUM, checksum).encode()).isEqualTo(checksum);
    byte[] mark = Files.readAllBytes(golden().resolve("retained.json"));
    RetainedMark read = RetainedMark.decode(MARK, mark);
    assertThat(read.encode()).isEqualTo(mark);
    assertThat(read.key()).isEqualTo(MARK);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"format\":1|\"format\":2",
        "\"format\":1,|",
        "\"tenant\":\"acme\"|\"tenant\":1",
        "\"first_seq\":1|\"first_seq\":\"1\"",
        "\"first_seq\":1|\"first_seq\":1.0",
        "\"first_seq\":1|\"first_seq\":-1",
        "\"first_seq\":1|\"first_seq\":0",
        "\"first_seq\":1|\"first_seq\":2",
        "\"last_seq\":4|\"last_seq\":99999999999999999999",
        "\"events\":4|\"events\":3",
        "\"sha256\":\"|\"sha256\":\"0",
        "\"chain_after\":\"|\"chain_after\":\"X",
        "\"previous\":null|\"previous\":\"\"",
        "\"previous\":null|\"previous\":null,\"more\":1",
        "\"previous\":null|\"previous\":null,\"tenant\":\"acme\"",
        "}|}{}",
        "{|[",
      })
  void a_checksum_that_is_none_is_refused(String change) throws Exception {
    String text = Files.readString(golden().resolve(CHECKSUM));
    int bar = change.indexOf('|');
    String changed = text.replace(change.substring(0, bar), change.substring(bar + 1));
    assertThat(changed).isNotEqualTo(text);
    assertThatThrownBy(() -> SegmentChecksum.decode(CHECKSUM, changed.getBytes(UTF_8)))
        .isInstanceOf(ArchiveFaultException.class)
        .hasMessageStartingWith(CHECKSUM + ": ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "archive/acme/2023-11-14/segment_1.jsonl.gz",
        "archive/acme/2023-11-14/segment_000000.jsonl.gz",
        "archive/acme/2023-11-14/segment_0000001.jsonl.gz",
        "archive/acme/2023-11-31/segment_000001.jsonl.gz",
        "archive/acme/2023-11-14/segment_000001.jsonl",
        "archive/acme/2023-11-14/more/segment_000001.jsonl.gz",
        "archive/acme/segment_000001.jsonl.gz",
        "archive/acme/retained_3.json",
        "archive/acme/retained_99999999999999999999.json",
        "archive/acme/notes.txt",
      })
  void other_names_are_unknown(String key) {
    assertThat(ArchiveKeys.kind("acme", key)).isEqualTo(new ArchiveKeys.Kind.Unknown());
  }

  @Test
  void names_are_those_of_the_contract() {
    SegmentName name = new SegmentName("acme", ArchiveKeys.date(ArchivedHub.START), 1);
    assertThat(name.dataKey()).isEqualTo(DATA);
    assertThat(name.checksumKey()).isEqualTo(CHECKSUM);
    assertThat(ArchiveKeys.kind("acme", DATA)).isEqualTo(new ArchiveKeys.Kind.Data(name));
    assertThat(ArchiveKeys.kind("acme", CHECKSUM)).isEqualTo(new ArchiveKeys.Kind.Checksum(name));
    assertThat(ArchiveKeys.kind("acme", MARK)).isEqualTo(new ArchiveKeys.Kind.Retained(3));
    assertThat(new SegmentName("acme", name.date(), 1_000_000).dataKey())
        .isEqualTo(DAY + "segment_1000000.jsonl.gz");
  }
}
