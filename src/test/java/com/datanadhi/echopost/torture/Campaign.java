package com.datanadhi.echopost.torture;

/// One kind of attack on the program. Each run is told by its seed, and can be repeated by it as
/// far as the machine's own timing lets it.
interface Campaign {
  /// What it is called on the command line.
  String name();

  /// What it does, in a line.
  String attack();

  /// Why it cannot be run on this machine, in a line that says how to mend that; empty when it can.
  default String obstacle() {
    return "";
  }

  /// Attacks until `attack` says that it is enough, and tells its tally what came of it.
  void run(Attack attack) throws Exception;
}
