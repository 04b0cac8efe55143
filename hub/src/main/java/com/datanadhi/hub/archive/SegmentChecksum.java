package com.datanadhi.hub.archive;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.record.Digests;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The content of a `.checksum`: what a segment has, and where it stands in the tenant's archive.
///
/// @param epoch of the log when the segment was written
/// @param bytes of the packed segment
/// @param sha256 of the packed segment
/// @param chainBefore the tenant's chain at `firstSeq - 1`
/// @param chainAfter the tenant's chain at `lastSeq`
/// @param previous SHA-256 of the tenant's previous `.checksum`; null for the first
public record SegmentChecksum(
    String tenant,
    String epoch,
    long firstSeq,
    long lastSeq,
    long events,
    long bytes,
    String sha256,
    String chainBefore,
    String chainAfter,
    @Nullable String previous) {
  /// A larger `.checksum` is none.
  static final int MAX_BYTES = 4_096;

  private static final Set<String> MEMBERS =
      Set.of(
          "format",
          "tenant",
          "epoch",
          "first_seq",
          "last_seq",
          "events",
          "bytes",
          "sha256",
          "chain_before",
          "chain_after",
          "previous");

  /// The JSON text with a line end.
  public byte[] encode() {
    JsonText text = new JsonText(700).raw("{\"format\":1,\"tenant\":").string(tenant);
    text.raw(",\"epoch\":").string(epoch);
    text.raw(",\"first_seq\":").number(firstSeq).raw(",\"last_seq\":").number(lastSeq);
    text.raw(",\"events\":").number(events).raw(",\"bytes\":").number(bytes);
    text.raw(",\"sha256\":").string(sha256);
    text.raw(",\"chain_before\":").string(chainBefore);
    text.raw(",\"chain_after\":").string(chainAfter);
    text.raw(",\"previous\":").string(previous);
    return text.raw("}\n").toBytes();
  }

  /// Reads what [#encode] wrote.
  ///
  /// @param object its key, for messages
  /// @throws ArchiveFaultException it is something else, or contradicts itself
  public static SegmentChecksum decode(String object, byte[] text) throws ArchiveFaultException {
    StrictJson json = new StrictJson(object, text, MEMBERS);
    SegmentChecksum checksum =
        new SegmentChecksum(
            json.text("tenant"),
            json.text("epoch"),
            json.number("first_seq"),
            json.number("last_seq"),
            json.number("events"),
            json.number("bytes"),
            json.sha256("sha256"),
            json.sha256("chain_before"),
            json.sha256("chain_after"),
            json.sha256OrNull("previous"));
    long first = checksum.firstSeq();
    if (first < 1
        || checksum.lastSeq() < first
        || checksum.events() != checksum.lastSeq() - first + 1) {
      throw new ArchiveFaultException(
          object,
          "has "
              + checksum.events()
              + " records from seq "
              + first
              + " to "
              + checksum.lastSeq()
              + ", which contradicts itself");
    }
    return checksum;
  }

  /// Whether it describes the same bytes and the same place as another, which a second writer can
  /// have written in another epoch.
  boolean describesSame(SegmentChecksum other) {
    return equals(
        new SegmentChecksum(
            other.tenant,
            epoch,
            other.firstSeq,
            other.lastSeq,
            other.events,
            other.bytes,
            other.sha256,
            other.chainBefore,
            other.chainAfter,
            other.previous));
  }

  /// SHA-256 of the object's bytes, which the next segment names as `previous`.
  static String digest(byte[] text) {
    return Digests.hex(Digests.sha256().digest(text));
  }
}
