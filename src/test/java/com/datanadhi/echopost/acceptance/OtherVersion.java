package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The packaged program as another version: the same bytes except for the id of its runtime.
///
/// @param id the name of its unpacked runtime
/// @param originalId the name of the packaged program's
record OtherVersion(Path program, String id, String originalId) {
  private static final Pattern ID = Pattern.compile("runtime=\\$1/(\\S+)-(\\d+)-(\\d+)\n");

  static OtherVersion create(Path program) throws IOException {
    String original = Files.readString(PackagedProgram.path(), StandardCharsets.ISO_8859_1);
    Matcher found = ID.matcher(original);
    assertThat(found.find()).isTrue();
    String originalId = found.group(1) + "-" + found.group(2) + "-" + found.group(3);
    // Of the same length: the archive after the script has a fixed offset.
    String checksum = (found.group(2).startsWith("9") ? "8" : "9") + found.group(2).substring(1);
    String id = found.group(1) + "-" + checksum + "-" + found.group(3);
    Files.writeString(program, original.replace(originalId, id), StandardCharsets.ISO_8859_1);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    return new OtherVersion(program, id, originalId);
  }
}
