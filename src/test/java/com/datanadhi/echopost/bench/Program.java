package com.datanadhi.echopost.bench;

import java.nio.file.Path;

/// An executable with EchoPost's command line and contract.
///
/// @param name whose the values are that are measured with it
record Program(String name, Path path) {
  /// The name of the program that the figures are about.
  static final String ECHOPOST = "EchoPost";

  /// The name of another one, measured in the same rounds.
  static final String PEER = "peer";

  /// Whether it is the one that the figures are about: of a peer nothing is asked but its work.
  boolean isOurs() {
    return name.equals(ECHOPOST);
  }
}
