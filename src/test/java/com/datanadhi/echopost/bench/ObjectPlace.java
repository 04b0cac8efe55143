package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.S3Server;
import java.nio.file.Path;
import java.util.Map;

/// Where a hub keeps its objects.
///
/// @param url the value of `--objects`
/// @param environment the variables with which a hub and its commands get there
record ObjectPlace(String url, Map<String, String> environment) {
  /// An S3 server that `scripts/install-tools` installs.
  static final Path S3_PROGRAM = Path.of("target/tools/bin/versitygw");

  private static final String FILE = "file:";

  static ObjectPlace folder(Path directory) {
    return new ObjectPlace(FILE + directory, Map.of());
  }

  static ObjectPlace s3(S3Server server) {
    return new ObjectPlace("s3://" + S3Server.BUCKET + "/bench", server.environment());
  }

  /// A place within this one.
  ObjectPlace within(String name) {
    return new ObjectPlace(url + "/" + name, environment);
  }

  boolean isFolder() {
    return url.startsWith(FILE);
  }

  /// The folder.
  Path directory() {
    return Path.of(url.substring(FILE.length()));
  }

  /// The ends of the names of this place's figures, and of their labels.
  String suffix() {
    return isFolder() ? "" : "_s3";
  }

  String label() {
    return isFolder() ? "folder" : "S3";
  }
}
