package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.PackagedProgram;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/// `scripts/torture`: runs campaigns and prints their results. The exit status is 0 if every
/// promise was kept, 1 if one was broken, 2 if the arguments are wrong or the program is not built.
public final class Torture {
  private static final long DEFAULT_SECONDS = 15;

  /// All campaigns, in the order in which they run.
  static final List<Campaign> ALL =
      List.of(
          new KillCampaign(),
          new GuardianCampaign(),
          new PowerCampaign(),
          new DamageCampaign(),
          new DiskFullCampaign(),
          new DiskErrorCampaign(),
          new SocketCampaign(),
          new DrainCampaign(),
          new ServerCampaign(),
          new GarbageCampaign(),
          new HubKillCampaign(),
          new HubPowerCampaign(),
          new HubDiskCampaign(),
          new HubDamageCampaign(),
          new HubKeysCampaign(),
          new HubGarbageCampaign(),
          new HubTenantsCampaign(),
          new HubS3Campaign(),
          new HubRestoreCampaign(),
          new HubTamperCampaign());

  private Torture() {}

  private record Options(List<Campaign> campaigns, long seconds, long rounds, long seed) {}

  /// `Torture [NAME…|--all] [--seconds S | --rounds N] [--seed X]`
  public static void main(String[] args) throws Exception {
    Options options;
    try {
      options = parse(args);
    } catch (IllegalArgumentException wrong) {
      System.err.println(wrong.getMessage());
      System.exit(2);
      return;
    }
    boolean passed = true;
    for (Campaign campaign : options.campaigns()) {
      passed &= run(campaign, options.seed(), options.rounds(), options.seconds());
    }
    System.exit(passed ? 0 : 1);
  }

  /// Runs a campaign, and prints its seed, its progress and its result.
  ///
  /// @param rounds the number of rounds; 0 for as many as start within `seconds`
  /// @return whether every promise was kept; true too if the campaign is skipped
  static boolean run(Campaign campaign, long seed, long rounds, long seconds) throws Exception {
    if (!campaign.skipReason().isEmpty()) {
      System.out.println(campaign.name() + ": SKIPPED: " + campaign.skipReason());
      return true;
    }
    System.out.println(campaign.name() + ": " + campaign.description() + " (--seed " + seed + ")");
    try (CampaignRun run = new CampaignRun(campaign.name(), seed, rounds, seconds)) {
      CampaignResult result = run.result();
      try {
        campaign.run(run);
      } catch (InterruptedException interrupted) {
        throw interrupted;
      } catch (Exception failed) {
        // A violation of this campaign, so that the remaining campaigns still run.
        StringWriter trace = new StringWriter();
        failed.printStackTrace(new PrintWriter(trace));
        result.addViolation("round " + run.rounds() + " did not complete: " + trace);
      }
      System.out.println(
          campaign.name()
              + ": "
              + (result.hasViolations() ? "FAILED" : "PASSED")
              + ", rounds: "
              + run.rounds()
              + ", "
              + result);
      result.violations().forEach(violation -> System.out.println("  " + violation));
      if (result.hasViolations()) {
        System.out.println("  directories of failed rounds: " + run.workDirectory());
      }
      return !result.hasViolations();
    }
  }

  private static Options parse(String... args) {
    List<Campaign> campaigns = new ArrayList<>();
    long seconds = DEFAULT_SECONDS;
    long rounds = 0;
    long seed = new Random().nextLong() >>> 1;
    Iterator<String> remaining = List.of(args).iterator();
    while (remaining.hasNext()) {
      String arg = remaining.next();
      switch (arg) {
        case "--all" -> campaigns.addAll(ALL);
        case "--seconds" -> seconds = number(remaining, 1);
        case "--rounds" -> rounds = number(remaining, 1);
        case "--seed" -> seed = number(remaining, 0);
        default ->
            campaigns.add(
                ALL.stream()
                    .filter(campaign -> campaign.name().equals(arg))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(usage())));
      }
    }
    if (!Files.isExecutable(PackagedProgram.path())) {
      throw new IllegalArgumentException(
          PackagedProgram.path() + " is not built: run scripts/build");
    }
    return new Options(campaigns.isEmpty() ? ALL : campaigns, seconds, rounds, seed);
  }

  private static long number(Iterator<String> remaining, long least) {
    try {
      long number = Long.parseLong(remaining.next());
      if (number >= least) {
        return number;
      }
    } catch (RuntimeException notANumber) {
      throw new IllegalArgumentException(usage(), notANumber);
    }
    throw new IllegalArgumentException(usage());
  }

  private static String usage() {
    return "usage: scripts/torture [NAME…|--all] [--seconds S | --rounds N] [--seed X]\n"
        + ALL.stream()
            .map(campaign -> String.format("  %-11s %s", campaign.name(), campaign.description()))
            .collect(Collectors.joining("\n"));
  }
}
