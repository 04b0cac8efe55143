package com.datanadhi.hub.archive;

import com.datanadhi.hub.json.JsonText;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Where a tenant's archive begins after retention has deleted older segments. What is before
/// `firstSeq` does not belong to the archive any more, also if it is still there.
///
/// @param firstSeq of the oldest segment that stays; one more than the last seq if none does
/// @param chainBefore the tenant's chain at `firstSeq - 1`
/// @param previous SHA-256 of the `.checksum` that ends at `firstSeq - 1`
public record RetainedMark(
    String tenant, long firstSeq, String chainBefore, @Nullable String previous) {
  static final int MAX_BYTES = 4_096;

  private static final Set<String> MEMBERS =
      Set.of("format", "tenant", "first_seq", "chain_before", "previous");

  /// The object's key.
  public String key() {
    return ArchiveKeys.retained(tenant, firstSeq);
  }

  /// The JSON text with a line end.
  public byte[] encode() {
    JsonText text = new JsonText(300).raw("{\"format\":1,\"tenant\":").string(tenant);
    text.raw(",\"first_seq\":").number(firstSeq);
    text.raw(",\"chain_before\":").string(chainBefore);
    text.raw(",\"previous\":").string(previous);
    return text.raw("}\n").toBytes();
  }

  /// Reads what [#encode] wrote.
  ///
  /// @param object its key, for messages
  /// @throws ArchiveFaultException it is something else
  public static RetainedMark decode(String object, byte[] text) throws ArchiveFaultException {
    StrictJson json = new StrictJson(object, text, MEMBERS);
    return new RetainedMark(
        json.text("tenant"),
        json.number("first_seq"),
        json.sha256("chain_before"),
        json.sha256OrNull("previous"));
  }
}
