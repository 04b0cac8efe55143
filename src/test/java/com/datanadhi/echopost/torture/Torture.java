package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/// `scripts/torture`: runs campaigns and says what came of them. The exit status is 0 when every
/// promise was kept, 1 when one was broken, 2 when what was asked for cannot be done.
public final class Torture {
  private static final long SECONDS = 15;

  /// Every campaign there is, in the order in which they are run.
  static final List<Campaign> ALL =
      List.of(
          new Kill(),
          new Guardian(),
          new Power(),
          new Damage(),
          new DiskFull(),
          new DiskError(),
          new SocketAttack(),
          new Drain(),
          new Server(),
          new Garbage());

  private Torture() {}

  private record Request(List<Campaign> campaigns, long seconds, long rounds, long seed) {}

  /// `Torture [NAME…|--all] [--seconds S | --rounds N] [--seed X]`
  public static void main(String[] args) throws Exception {
    Request request;
    try {
      request = parse(args);
    } catch (IllegalArgumentException wrong) {
      System.err.println(wrong.getMessage());
      System.exit(2);
      return;
    }
    boolean sound = true;
    for (Campaign campaign : request.campaigns()) {
      sound &= run(campaign, request.seed(), request.rounds(), request.seconds());
    }
    System.exit(sound ? 0 : 1);
  }

  /// Runs one, and prints its seed, its progress and its result.
  ///
  /// @return whether every promise was kept
  static boolean run(Campaign campaign, long seed, long rounds, long seconds) throws Exception {
    if (!campaign.obstacle().isEmpty()) {
      System.out.println(campaign.name() + ": SKIPPED: " + campaign.obstacle());
      return true;
    }
    System.out.println(campaign.name() + ": " + campaign.attack() + " (--seed " + seed + ")");
    try (Attack attack = new Attack(campaign.name(), seed, rounds, seconds)) {
      Tally tally = attack.tally();
      try {
        campaign.run(attack);
      } catch (InterruptedException interrupted) {
        throw interrupted;
      } catch (Exception failed) {
        // The campaigns after this one are run all the same.
        StringWriter trace = new StringWriter();
        failed.printStackTrace(new PrintWriter(trace));
        tally.broken("round " + attack.rounds() + " came to no end: " + trace);
      }
      System.out.println(
          campaign.name()
              + ": "
              + (tally.isSound() ? "KEPT" : "BROKEN")
              + ": rounds "
              + attack.rounds()
              + ", "
              + tally);
      tally.broken().forEach(how -> System.out.println("  " + how));
      if (!tally.isSound()) {
        System.out.println("  what is left of it: " + attack.work());
      }
      return tally.isSound();
    }
  }

  private static Request parse(String... args) throws IOException {
    List<Campaign> campaigns = new ArrayList<>();
    long seconds = SECONDS;
    long rounds = 0;
    long seed = new Random().nextLong() >>> 1;
    Iterator<String> words = List.of(args).iterator();
    while (words.hasNext()) {
      String word = words.next();
      switch (word) {
        case "--all" -> campaigns.addAll(ALL);
        case "--seconds" -> seconds = number(words, 1);
        case "--rounds" -> rounds = number(words, 1);
        case "--seed" -> seed = number(words, 0);
        default ->
            campaigns.add(
                ALL.stream()
                    .filter(campaign -> campaign.name().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(usage())));
      }
    }
    if (!Files.isExecutable(AgentProcess.program())) {
      throw new IllegalArgumentException(AgentProcess.program() + " is not built: scripts/build");
    }
    return new Request(campaigns.isEmpty() ? ALL : campaigns, seconds, rounds, seed);
  }

  private static long number(Iterator<String> words, long least) {
    try {
      long number = Long.parseLong(words.next());
      if (number >= least) {
        return number;
      }
    } catch (RuntimeException none) {
      throw new IllegalArgumentException(usage(), none);
    }
    throw new IllegalArgumentException(usage());
  }

  private static String usage() {
    return "usage: scripts/torture [NAME…|--all] [--seconds S | --rounds N] [--seed X]\n"
        + ALL.stream()
            .map(campaign -> String.format("  %-11s %s", campaign.name(), campaign.attack()))
            .collect(Collectors.joining("\n"));
  }
}
