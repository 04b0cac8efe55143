package com.datanadhi.echopost.torture;

/// One kind of attack on the program. A run is identified by its seed, and can be repeated with it
/// as far as the timing of the machine allows.
interface Campaign {
  /// The name on the command line.
  String name();

  /// The attack, in one line.
  String description();

  /// Why this machine cannot run the campaign, and how to fix that, in one line; empty if it can.
  default String skipReason() {
    return "";
  }

  /// Runs rounds until [CampaignRun#startNextRound] returns false, and adds its counts, times and
  /// violations to the run's result.
  void run(CampaignRun run) throws Exception;
}
