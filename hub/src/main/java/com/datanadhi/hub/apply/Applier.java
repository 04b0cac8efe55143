package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyFunction.Applied;
import com.datanadhi.hub.apply.ApplyFunction.Batch;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.util.List;

/// Applies log records of a tenant to its database and finds the one that cannot be applied.
/// Thread-safe.
final class Applier {
  /// How often a log record is tried before it counts as one that cannot be applied.
  static final int ATTEMPTS = 3;

  private final ApplyFunction function;
  private final TenantDatabases databases;

  Applier(ApplyFunction function, TenantDatabases databases) {
    this.function = function;
    this.databases = databases;
  }

  /// The database is not as far as it was.
  static final class ReplacedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long offset;

    ReplacedException(long offset, long expected) {
      super("its database has applied offset " + offset + ", and it had applied " + expected);
      this.offset = offset;
    }

    long offset() {
      return offset;
    }
  }

  /// Is told after each commit.
  @FunctionalInterface
  interface Committed {
    void accept(Applied applied);
  }

  /// Applies the records in one transaction if all of them can be applied.
  ///
  /// @param expected the offset that the database has applied at least
  /// @throws ReplacedException it has not: its files were replaced or deleted
  /// @throws PoisonException one cannot; what is before it is committed
  /// @throws ViewException the database cannot be used
  void apply(String tenant, List<Incoming> entries, long expected, Committed committed)
      throws ViewException, InterruptedException {
    int from = 0;
    int to = entries.size();
    int failures = 0;
    long failedAt = -1;
    while (from < entries.size()) {
      Batch batch = function.batch(entries.subList(from, to));
      Applied applied;
      try {
        applied =
            databases.write(
                tenant,
                writer -> {
                  long offset = writer.state().appliedOffset();
                  if (offset < expected) {
                    throw new ReplacedException(offset, expected);
                  }
                  return batch.run(writer);
                });
      } catch (ReplacedException replaced) {
        throw replaced;
      } catch (RuntimeException failed) {
        long at = batch.current();
        if (at < 0) {
          throw new ViewException(ViewException.Kind.UNAVAILABLE, failed.toString(), failed);
        }
        failures = at == failedAt ? failures + 1 : 1;
        failedAt = at;
        int index = from;
        while (entries.get(index).entry().offset() < at) {
          index++;
        }
        if (index > from) {
          to = index;
        } else if (failures >= ATTEMPTS) {
          throw failed instanceof PoisonException poison
              ? poison
              : new PoisonException(at, failed.toString());
        }
        continue;
      }
      committed.accept(applied);
      from = to;
      to = entries.size();
    }
  }
}
