package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.query.SeqRange;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;

/// Answers for what became of a transaction.
final class Receipts {
  private static final long SLICE_NANOS = 500_000_000L;

  private Receipts() {}

  /// Answers with the receipt, or ends with the problem.
  static void answer(Exchange exchange, String tenant, Outcome outcome)
      throws ProblemException, InterruptedException {
    switch (outcome) {
      case Outcome.Stored stored -> {
        if (stored.replayed()) {
          exchange.setHeader("Idempotent-Replayed", "true");
        }
        if (stored.receipt().sha256() == null) {
          exchange.setHeader("Hub-Content", "unverified");
        }
        awaitApplied(exchange, tenant, stored);
        exchange.json(200, stored.receipt().json());
      }
      case Outcome.Invalid invalid -> throw new ProblemException(problem(invalid));
      case Outcome.Conflict conflict -> throw new ProblemException(problem(conflict));
      case Outcome.Unavailable unavailable -> throw new ProblemException(problem(unavailable));
    }
  }

  static Problem problem(Outcome.Invalid invalid) {
    return new Problem(invalid.status(), invalid.title(), invalid.detail(), "", null);
  }

  static Problem problem(Outcome.Unavailable unavailable) {
    return Problem.unavailable(Problem.sentence(unavailable.detail()), unavailable.retryAfter());
  }

  static Problem problem(Outcome.Conflict conflict) {
    Content stored = conflict.stored();
    Content sent = conflict.sent();
    boolean samePayload = stored.digest().equals(sent.digest());
    String what =
        samePayload
            ? "other pipelines and the same payload, sha256 " + stored.digest()
            : stored.pipelinesDigest().equals(sent.pipelinesDigest())
                ? "another payload"
                : "another payload and other pipelines";
    String members =
        new JsonText()
            .raw("\"key\":")
            .string(conflict.key())
            .raw(",\"stored\":")
            .raw(content(stored))
            .raw(",\"sent\":")
            .raw(content(sent))
            .toString();
    return new Problem(
        422,
        "Key is known with other content",
        ("The key %s is known with %s: stored is %s, sent was %s. What was sent is kept as a"
                + " conflict. Send it under a key of its own if it is to be stored.")
            .formatted(
                conflict.key(), what, digest(stored, samePayload), digest(sent, samePayload)),
        members,
        null);
  }

  private static String digest(Content content, boolean ofPipelines) {
    return ofPipelines
        ? "pipelines_sha256 " + content.pipelinesDigest()
        : "sha256 " + content.digest();
  }

  private static String content(Content content) {
    return "{\"sha256\":\"%s\",\"pipelines_sha256\":\"%s\"}"
        .formatted(content.digest(), content.pipelinesDigest());
  }

  private static void awaitApplied(Exchange exchange, String tenant, Outcome.Stored stored)
      throws InterruptedException {
    Duration wait = Prefer.wait(exchange.headers("Prefer"));
    if (wait.isZero()) {
      return;
    }
    SeqRange seqs = null;
    long deadline = exchange.nanoTime() + wait.toNanos();
    try {
      do {
        // In slices, so that a shutdown does not have to cut the connection of a stored record.
        long left = deadline - exchange.nanoTime();
        seqs =
            exchange
                .services()
                .records()
                .awaitApplied(
                    tenant,
                    stored.receipt().key(),
                    stored.offset(),
                    Duration.ofNanos(Math.max(0, Math.min(left, SLICE_NANOS))));
      } while (seqs == null
          && stored.offset() >= 0
          && exchange.nanoTime() < deadline
          && !exchange.isStopping());
    } catch (ViewException e) {
      // It is stored, and that is what the sender must hear; it only cannot be read yet.
      return;
    }
    if (seqs != null) {
      exchange.setHeader("Hub-Seq", seqs.header());
      exchange.setHeader("Preference-Applied", "wait");
    }
  }
}
