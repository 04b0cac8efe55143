package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.view.ViewState;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each way of changing an archive is found by the verifier, and refused by the reader.
class ArchiveVerifierTest {
  private static final String DAY = "archive/acme/2023-11-14/segment_00000";

  @TempDir private Path home;
  private ArchivedHub hub;

  /// Two tenants with five segments each, of three records.
  @BeforeEach
  void archive() throws Exception {
    hub = new ArchivedHub(home);
    Archiver archiver = hub.archiver();
    for (int i = 1; i <= 5; i++) {
      for (String tenant : List.of("acme", "other")) {
        hub.store(tenant, "k-" + i, "{\"i\":" + i + "}", "{\n}");
        hub.store(tenant, "m-" + i, "\"" + tenant + i + "\"");
      }
      hub.archive(archiver);
    }
    assertThat(hub.verify("acme").faults()).isEmpty();
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private static String data(int number) {
    return DAY + number + ".jsonl.gz";
  }

  private static String checksum(int number) {
    return DAY + number + ".checksum";
  }

  private Path file(String key) {
    return hub.objects.resolve(key);
  }

  private void write(String key, byte[] content) throws Exception {
    Path file = file(key);
    Files.createDirectories(file.getParent());
    Files.deleteIfExists(file);
    Files.write(file, content);
  }

  private void move(String from, String to) throws Exception {
    byte[] content = Files.readAllBytes(file(from));
    write(to, content);
  }

  /// The only fault, which the reader stops at too.
  private String fault() throws Exception {
    List<String> faults = hub.faults("acme");
    assertThat(faults).hasSize(1);
    isRefused();
    return faults.getFirst();
  }

  private void isRefused() {
    assertThatThrownBy(() -> hub.archived("acme")).isInstanceOf(ArchiveFaultException.class);
  }

  private String lines(int number) throws Exception {
    try (var in =
        new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(file(data(number)))))) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  private static byte[] packed(String lines) throws Exception {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(packed)) {
      out.write(lines.getBytes(UTF_8));
    }
    return packed.toByteArray();
  }

  /// Edits the lines of a segment, and corrects size and digest in its checksum.
  private void edit(int number, UnaryOperator<String> change) throws Exception {
    String before = lines(number);
    String after = change.apply(before);
    assertThat(after).isNotEqualTo(before);
    write(data(number), packed(after));
    correct(number, read(number));
  }

  private SegmentChecksum read(int number) throws Exception {
    return SegmentChecksum.decode("x", Files.readAllBytes(file(checksum(number))));
  }

  private void correct(int number, SegmentChecksum old) throws Exception {
    byte[] content = Files.readAllBytes(file(data(number)));
    write(
        checksum(number),
        new SegmentChecksum(
                old.tenant(),
                old.epoch(),
                old.firstSeq(),
                old.lastSeq(),
                old.events(),
                content.length,
                SegmentChecksum.digest(content),
                old.chainBefore(),
                old.chainAfter(),
                old.previous())
            .encode());
  }

  @Test
  void a_segment_deleted_in_the_middle() throws Exception {
    Files.delete(file(data(3)));
    Files.delete(file(checksum(3)));
    assertThat(hub.faults("acme"))
        .containsExactly(
            data(3) + ": is missing", checksum(4) + ": begins at seq 10 instead of 7: a gap");
    isRefused();
  }

  @Test
  void the_records_of_a_segment_deleted() throws Exception {
    Files.delete(file(data(3)));
    assertThat(fault()).isEqualTo(data(3) + ": is missing");
  }

  @Test
  void the_checksum_of_a_segment_deleted() throws Exception {
    Files.delete(file(checksum(3)));
    assertThat(fault()).isEqualTo(checksum(3) + ": is missing");
  }

  @Test
  void a_segment_deleted_at_the_beginning() throws Exception {
    Files.delete(file(data(1)));
    Files.delete(file(checksum(1)));
    assertThat(hub.faults("acme"))
        .containsExactly(
            data(1) + ": is missing", checksum(2) + ": begins at seq 4 instead of 1: a gap");
    isRefused();
  }

  @Test
  void an_end_that_is_missing_is_found_by_what_is_expected() throws Exception {
    Files.delete(file(data(5)));
    Files.delete(file(checksum(5)));
    ArchiveVerifier verifier = new ArchiveVerifier(hub.store);
    ArchiveVerifier.Report alone = verifier.verify("acme", null, new TreeMap<>());
    assertThat(alone.isSound()).isTrue();
    assertThat(alone.lastSeq()).isEqualTo(12);
    assertThat(verifier.verify("acme", 15L, new TreeMap<>()).faults())
        .containsExactly("archive/acme/: ends at seq 12 instead of 15 or later");
    assertThat(verifier.verify("acme", 12L, new TreeMap<>()).faults()).isEmpty();
  }

  @Test
  void the_last_checksum_missing_is_an_unfinished_segment() throws Exception {
    Files.delete(file(checksum(5)));
    ArchiveVerifier.Report report =
        new ArchiveVerifier(hub.store).verify("acme", null, new TreeMap<>());
    assertThat(report.faults()).isEmpty();
    assertThat(report.unfinished()).containsExactly(data(5));
    assertThat(report.lastSeq()).isEqualTo(12);
    assertThat(hub.archived("acme")).hasSize(12);
    assertThat(new ArchiveReader(hub.store).segments("acme").unfinished()).containsExactly(data(5));
  }

  @Test
  void two_segments_swapped() throws Exception {
    for (String ending : List.of(".jsonl.gz", ".checksum")) {
      byte[] second = Files.readAllBytes(file(DAY + 2 + ending));
      move(DAY + 3 + ending, DAY + 2 + ending);
      write(DAY + 3 + ending, second);
    }
    assertThat(hub.faults("acme"))
        .containsExactly(
            checksum(2) + ": begins at seq 7 instead of 4: a gap",
            checksum(3) + ": begins at seq 4 instead of 10: an overlap",
            checksum(4) + ": begins at seq 10 instead of 7: a gap");
    isRefused();
  }

  @Test
  void the_records_of_two_segments_swapped() throws Exception {
    byte[] second = Files.readAllBytes(file(data(2)));
    move(data(3), data(2));
    write(data(3), second);
    assertThat(hub.faults("acme")).hasSize(2).allMatch(fault -> fault.contains(".jsonl.gz"));
    isRefused();
  }

  @Test
  void records_that_are_cut() throws Exception {
    byte[] whole = Files.readAllBytes(file(data(2)));
    write(data(2), java.util.Arrays.copyOf(whole, whole.length - 10));
    assertThat(fault()).startsWith(data(2)).contains("bytes instead of");
    correct(2, read(2));
    assertThat(hub.faults("acme")).anyMatch(fault -> fault.contains("cannot be unpacked"));
    isRefused();
  }

  @Test
  void lines_that_are_cut_with_a_corrected_checksum() throws Exception {
    edit(2, text -> text.substring(0, text.lastIndexOf('\n', text.length() - 2) + 1));
    assertThat(hub.faults("acme"))
        .anyMatch(fault -> fault.startsWith(data(2)) && fault.contains("ends before seq 6"));
    isRefused();
  }

  @Test
  void a_line_that_was_edited() throws Exception {
    write(data(2), packed(lines(2).replace("acme2", "evil2")));
    assertThat(fault()).startsWith(data(2));
  }

  @Test
  void a_line_that_was_edited_with_a_corrected_checksum() throws Exception {
    edit(2, text -> text.replace("acme2", "evil2"));
    assertThat(hub.faults("acme"))
        .containsExactly(
            data(2) + ": does not have the chain that its checksum says",
            checksum(3) + ": does not follow the checksum before it: previous is another digest");
    isRefused();
  }

  @Test
  void fields_outside_of_the_chain_have_a_digest_too() throws Exception {
    edit(2, text -> text.replace("\"fsync\"", "\"wal\""));
    assertThat(fault())
        .isEqualTo(
            checksum(3) + ": does not follow the checksum before it: previous is another digest");
  }

  @Test
  void lines_of_another_day_or_order_or_form() throws Exception {
    edit(2, text -> text.replace("2023-11-14T", "2023-11-15T"));
    edit(3, text -> text.replace("\"part\":2", "\"part\":3"));
    edit(4, text -> text.replace("{\"seq\":11", "{ \"seq\":11"));
    edit(5, text -> text.replace("T22:13:20.000Z", "T22:13:19.000Z"));
    assertThat(hub.faults("acme"))
        .anyMatch(fault -> fault.contains("has seq 4 of another day"))
        .anyMatch(fault -> fault.contains("has seq 8, which tears a transaction"))
        .anyMatch(fault -> fault.contains("the line of seq 11 is none"))
        .anyMatch(fault -> fault.contains("has seq 13, which is older than the record before it"));
    isRefused();
  }

  /// Changes a record, and computes everything behind it again, as a forger could.
  private void forge() throws Exception {
    String previous = SegmentChecksum.digest(Files.readAllBytes(file(checksum(1))));
    Chain chain = Chain.from(read(1).chainAfter());
    for (int number = 2; number <= 5; number++) {
      edit(number, text -> text.replace("acme", "evil"));
      SegmentChecksum old = read(number);
      String before = chain.hex();
      ArchiveLine decoder = new ArchiveLine(new PipelineNames());
      for (String line : lines(number).lines().toList()) {
        var event = decoder.decode(line.getBytes(UTF_8));
        chain.add(
            event.seq(),
            event.part(),
            event.receivedAt(),
            event.key(),
            new PipelineNames().of(event.pipelines()),
            event.logData());
      }
      correct(
          number,
          new SegmentChecksum(
              old.tenant(),
              old.epoch(),
              old.firstSeq(),
              old.lastSeq(),
              old.events(),
              0,
              old.sha256(),
              before,
              chain.hex(),
              previous));
      previous = SegmentChecksum.digest(Files.readAllBytes(file(checksum(number))));
    }
  }

  @Test
  void a_chain_that_a_forger_computed_again_is_found_by_what_is_known_elsewhere() throws Exception {
    ViewState live = hub.state("acme");
    String atNine = new ArchiveReader(hub.store).chainAt("acme", 9);
    String atFour = new ArchiveReader(hub.store).chainAt("acme", 4);
    forge();
    assertThat(hub.faults("acme")).isEmpty();
    SortedMap<Long, String> known =
        new TreeMap<>(Map.of(4L, atFour, 9L, atNine, 15L, live.chain(), 99L, live.chain()));
    ArchiveVerifier.Report report = new ArchiveVerifier(hub.store).verify("acme", null, known);
    assertThat(report.faults())
        .hasSize(2)
        .allMatch(fault -> fault.startsWith("archive/acme/: has another chain at seq "));
    assertThat(report.faults().getFirst()).contains("at seq 9 ");
    assertThat(report.chains()).containsOnlyKeys(4L, 9L, 15L).containsEntry(4L, atFour);
    assertThatThrownBy(() ->
            new ArchiveReader(hub.store).<RuntimeException>read("acme", 10, atNine, _ -> true))
        .hasMessageContaining("has another chain at seq 9");
  }

  @Test
  void a_segment_that_is_repeated() throws Exception {
    move(data(5), data(6));
    move(checksum(5), checksum(6));
    assertThat(fault()).isEqualTo(checksum(6) + ": begins at seq 13 instead of 16: an overlap");
  }

  @Test
  void a_segment_of_another_tenant() throws Exception {
    for (String ending : List.of(".jsonl.gz", ".checksum")) {
      move("archive/other/2023-11-14/segment_000003" + ending, DAY + 3 + ending);
    }
    assertThat(hub.faults("acme"))
        .containsExactly(
            checksum(3) + ": is of the tenant other",
            checksum(4) + ": does not continue the chain: chain_before is not the chain at 9");
    isRefused();
  }

  @Test
  void a_segment_of_another_archive_of_the_tenant() throws Exception {
    try (ArchivedHub old = new ArchivedHub(home.resolve("old"))) {
      Archiver archiver = old.archiver();
      for (int i = 1; i <= 3; i++) {
        old.store("acme", "old-" + i, "1", "2");
        old.store("acme", "m-" + i, "3");
        old.archive(archiver);
      }
      for (String ending : List.of(".jsonl.gz", ".checksum")) {
        write(DAY + 3 + ending, Files.readAllBytes(old.objects.resolve(DAY + 3 + ending)));
      }
    }
    assertThat(hub.faults("acme")).hasSize(2);
    isRefused();
  }

  @Test
  void objects_that_the_hub_does_not_write() throws Exception {
    write("archive/acme/notes.txt", new byte[] {1});
    assertThat(fault()).isEqualTo("archive/acme/notes.txt: is no object that the hub writes");
    write("archive/UPPER/x", new byte[] {1});
    assertThat(new ArchiveVerifier(hub.store).unknownFolders())
        .containsExactly("archive/UPPER/: is no folder that the hub writes");
    assertThat(new ArchiveReader(hub.store).tenants()).containsExactly("acme", "other");
  }

  @Test
  void a_checksum_that_is_none_or_too_large() throws Exception {
    write(checksum(2), "{}".getBytes(UTF_8));
    write(checksum(4), new byte[100_000]);
    List<String> faults = new ArrayList<>(hub.faults("acme"));
    assertThat(faults).hasSize(3);
    assertThat(faults.get(0)).startsWith(checksum(2));
    assertThat(faults.get(1)).startsWith(checksum(3)).contains("previous");
    assertThat(faults.get(2)).startsWith(checksum(4));
    isRefused();
  }

  @Test
  void a_retained_mark_that_hides_nothing_that_follows() throws Exception {
    write(
        "archive/acme/retained_00000000000000000005.json",
        new RetainedMark("acme", 5, read(2).chainBefore(), null).encode());
    assertThat(hub.faults("acme"))
        .containsExactly(checksum(2) + ": begins at seq 4 instead of 5: an overlap");
    write("archive/acme/retained_00000000000000000005.json", new byte[] {'x'});
    assertThat(hub.faults("acme").getFirst())
        .startsWith("archive/acme/retained_00000000000000000005.json");
    isRefused();
  }

  @Test
  void reading_from_a_trusted_chain_unpacks_only_what_is_behind_it() throws Exception {
    ArchiveReader reader = new ArchiveReader(hub.store);
    String atSeven = reader.chainAt("acme", 7);
    write(data(1), new byte[] {1});
    List<Long> seqs = new ArrayList<>();
    long last = reader.read("acme", 8, atSeven, event -> seqs.add(event.seq()));
    assertThat(last).isEqualTo(15);
    assertThat(seqs).containsExactly(8L, 9L, 10L, 11L, 12L, 13L, 14L, 15L);
    assertThatThrownBy(
            () -> reader.<RuntimeException>read("acme", 8, read(1).chainAfter(), _ -> true))
        .hasMessageContaining("another chain at seq 7");
    assertThatThrownBy(() -> reader.<RuntimeException>read("acme", 8, null, _ -> true))
        .hasMessageContaining(data(1));
    assertThat(reader.read("acme", 99, atSeven, _ -> true)).isEqualTo(15);
  }

  @Test
  void a_reader_can_stop() throws Exception {
    List<Long> seqs = new ArrayList<>();
    long last =
        new ArchiveReader(hub.store)
            .read(
                "acme",
                1,
                null,
                event -> {
                  seqs.add(event.seq());
                  return event.seq() < 4;
                });
    assertThat(last).isEqualTo(4);
    assertThat(seqs).containsExactly(1L, 2L, 3L, 4L);
  }

  @Test
  void the_head_is_the_newest_finished_segment() throws Exception {
    ArchiveHead head = hub.head("acme");
    assertThat(hub.newest("acme").dataKey()).isEqualTo(data(5));
    assertThat(head.seq()).isEqualTo(15);
    assertThat(head.chain()).isEqualTo(hub.state("acme").chain());
    assertThat(head.previous())
        .isEqualTo(SegmentChecksum.digest(Files.readAllBytes(file(checksum(5)))));
    assertThat(head.checksum()).isEqualTo(read(5));
    assertThat(new ArchiveReader(hub.store).head("nobody")).isNull();
  }
}
