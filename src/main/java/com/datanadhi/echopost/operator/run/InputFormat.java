package com.datanadhi.echopost.operator.run;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// Recognizes by its first bytes an input that is not JSON Lines in UTF-8.
final class InputFormat {
  private InputFormat() {}

  /// What an invalid line is, and how to convert it.
  ///
  /// @param start the first bytes of the line; fewer if it is shorter
  /// @return null if nothing is recognized
  static @Nullable String describe(byte[] start) {
    String hex = HexFormat.of().formatHex(start);
    String text = new String(start, StandardCharsets.ISO_8859_1);
    if (hex.startsWith("efbbbf")) {
      return "it starts with a byte order mark (BOM), which is not JSON: delete its three bytes, as"
          + " with sed 's/^\\xef\\xbb\\xbf//'";
    }
    if (hex.startsWith("fffe0000") || hex.startsWith("0000feff") || hex.startsWith("000000")) {
      return "it is UTF-32: convert it with iconv -f UTF-32 -t UTF-8";
    }
    if (hex.startsWith("fffe") || hex.startsWith("feff")) {
      return "it is UTF-16: convert it with iconv -f UTF-16 -t UTF-8";
    }
    if (hex.matches("00[2-7].*")) {
      return "it is UTF-16: convert it with iconv -f UTF-16BE -t UTF-8";
    }
    if (hex.matches("[2-7].00.*")) {
      return "it is UTF-16: convert it with iconv -f UTF-16LE -t UTF-8";
    }
    if (hex.startsWith("1f8b")) {
      return "it is compressed with gzip twice: unpack it once with gunzip";
    }
    if (hex.startsWith("28b52ffd")) {
      return "it is compressed with zstd: unpack it with zstd -dc";
    }
    if (hex.startsWith("fd377a585a00")) {
      return "it is compressed with xz: unpack it with xz -dc";
    }
    if (text.startsWith("BZh")) {
      return "it is compressed with bzip2: unpack it with bzip2 -dc";
    }
    if (text.startsWith("PK\u0003\u0004")) {
      return "it is a zip archive: unpack it with unzip -p";
    }
    if (text.startsWith("SQLite format 3")) {
      return "it is an SQLite database: 'echopost export' writes the records of a buffer, 'echopost"
          + " salvage' reads a damaged one";
    }
    if (text.startsWith("[")) {
      return "it is a JSON array: write one object per line, as with jq -c '.[]'";
    }
    return null;
  }
}
