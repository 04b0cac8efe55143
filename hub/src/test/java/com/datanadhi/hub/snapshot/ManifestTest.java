package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ManifestTest {
  private static final String ID = "snap_2024-01-15T00:00:00Z";
  private static final JsonMapper JSON = JsonMapper.shared();

  private static final Manifest MANIFEST =
      new Manifest(
          "acme",
          Instant.parse("2024-01-15T00:00:00Z"),
          "events-0",
          "0192f0c1-2233-7abc-8def-0123456789ab",
          12_345,
          9_120,
          "ab".repeat(32),
          1_705_276_799_998L,
          "sha256:" + "cd".repeat(32),
          "1.2.3",
          new TreeMap<>(
              Map.of(
                  "canonical.db", new FileDigest(40_960, "01".repeat(32)),
                  "mailbox.db", new FileDigest(8_192, "23".repeat(32)))));

  private static byte[] golden() throws IOException {
    try (InputStream in = ManifestTest.class.getResourceAsStream("manifest.json")) {
      assertThat(in).isNotNull();
      return in.readAllBytes();
    }
  }

  @Test
  void a_manifest_is_written_and_read_as_it_always_was() throws Exception {
    assertThat(new String(ManifestJson.encode(MANIFEST), UTF_8))
        .isEqualTo(new String(golden(), UTF_8));
    assertThat(ManifestJson.decode("acme", ID, golden())).isEqualTo(MANIFEST);
  }

  @Test
  void a_tenant_without_records_has_no_epoch_and_no_last_record() throws Exception {
    Manifest empty =
        new Manifest(
            "_control",
            MANIFEST.timestamp(),
            "control",
            null,
            -1,
            0,
            MANIFEST.chain(),
            0,
            MANIFEST.schemaFingerprint(),
            "1.2.3",
            new TreeMap<>(Map.of("canonical.db", new FileDigest(1, "01".repeat(32)))));
    byte[] json = ManifestJson.encode(empty);
    assertThat(JSON.readTree(json).at("/wal_position/topic").stringValue()).isEqualTo("control");
    assertThat(JSON.readTree(json).get("last_received_at").isNull()).isTrue();
    assertThat(ManifestJson.decode("_control", ID, json)).isEqualTo(empty);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/tenant_id | \"other\" | belongs to the tenant other",
        "/tenant_id | 7 | tenant_id is not a string",
        "/timestamp | \"2024-01-15T00:00:01Z\" | timestamp",
        "/timestamp | \"2024-01-15T00:00:00.000Z\" | timestamp",
        "/timestamp | \"yesterday\" | timestamp",
        "/wal_position | [] | wal_position is not an object",
        "/wal_position/topic | \"orders\" | does not fit wal_position",
        "/wal_position/topic | \"a b\" | topic has a wrong form",
        "/wal_position/partition | 1 | does not fit wal_position",
        "/wal_position/offset | -2 | at least -1",
        "/wal_position/offset | 1.5 | whole number",
        "/wal_position/more | 1 | unknown member more",
        "/epoch | \"0192f0c1\" | epoch has a wrong form",
        "/seq | -1 | at least 0",
        "/seq | \"9120\" | whole number",
        "/seq | 99999999999999999999 | whole number",
        "/chain | \"ABAB\" | chain has a wrong form",
        "/schema_fingerprint | \"cdcd\" | schema_fingerprint has a wrong form",
        "/files | {} | has no file canonical.db",
        "/files | [] | files is not an object",
        "/files/canonical.db | 1 | canonical.db is not an object",
        "/files/canonical.db/bytes | -1 | bytes is not a whole number",
        "/files/canonical.db/sha256 | \"zz\" | sha256 has a wrong form",
        "/files/canonical.db/md5 | \"zz\" | unknown member md5",
        "/files/..%2Fpasswd | {} | has a file",
        "/format | 2 | has the format 2, and this program knows 1",
        "/format | null | format is not a whole number",
        "/stream | \"events-1\" | does not fit wal_position",
        "/last_received_at | \"2024-01-15\" | not a time",
        "/last_received_at | \"2024-01-14T23:59:59Z\" | not a time in UTC with milliseconds",
        "/program_version | 1 | program_version is not a string",
        "/more | 1 | unknown member more",
      })
  void a_wrong_member_is_told(String pointer, String value, String reason) throws Exception {
    ObjectNode root = (ObjectNode) JSON.readTree(golden());
    int slash = pointer.lastIndexOf('/');
    ObjectNode parent = (ObjectNode) root.at(pointer.substring(0, slash));
    JsonNode _ = parent.set(pointer.substring(slash + 1), JSON.readTree(value));
    assertInvalid(JSON.writeValueAsBytes(root), reason);
  }

  @ParameterizedTest
  @CsvSource({
    "tenant_id",
    "timestamp",
    "wal_position",
    "epoch",
    "seq",
    "chain",
    "schema_fingerprint",
    "files",
    "stream",
    "last_received_at",
    "program_version"
  })
  void a_missing_member_is_told(String name) throws Exception {
    ObjectNode root = (ObjectNode) JSON.readTree(golden());
    JsonNode _ = root.remove(name);
    assertInvalid(JSON.writeValueAsBytes(root), "has no member " + name);
  }

  @Test
  void what_is_not_one_json_object_is_told() throws Exception {
    String json = new String(golden(), UTF_8);
    assertInvalid("[]".getBytes(UTF_8), "is not a JSON object");
    assertInvalid(new byte[0], "is not");
    assertInvalid(json.substring(0, 300).getBytes(UTF_8), "is not JSON");
    assertInvalid((json + "{}").getBytes(UTF_8), "is not JSON");
    assertInvalid(
        json.replace("\"seq\" :", "\"seq\" : 1, \"seq\" :").getBytes(UTF_8), "is not JSON");
  }

  private static void assertInvalid(byte[] json, String reason) {
    assertThatThrownBy(() -> ManifestJson.decode("acme", ID, json))
        .isInstanceOf(InvalidManifestException.class)
        .hasMessageStartingWith("snapshots/acme/" + ID + "/manifest.json: ")
        .hasMessageContaining(reason);
  }
}
