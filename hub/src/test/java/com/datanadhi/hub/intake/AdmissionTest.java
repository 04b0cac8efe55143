package com.datanadhi.hub.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.intake.Admission.Lease;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private final TestClock clock = new TestClock();
  private final Admission admission = new Admission(100, clock);

  @Test
  void what_does_not_fit_is_refused_at_once() {
    Lease first = acquire("a", 60);
    assertThat(admission.tryAcquire("b", 41)).isNull();
    Lease second = acquire("b", 40);
    assertThat(first.tryGrow(1)).isFalse();
    assertThat(admission.refusals()).isEqualTo(2);
    second.close();
    clock.advance(10_000);
    assertThat(first.tryGrow(40)).isTrue();
    first.close();
    assertThat(admission.heldBytes()).isZero();
    assertThat(admission.tryAcquire("a", 101)).isNull();
  }

  @Test
  void a_lease_gives_back_once() {
    Lease lease = acquire("a", 60);
    lease.close();
    lease.close();
    assertThat(admission.heldBytes()).isZero();
    assertThatThrownBy(() -> admission.tryAcquire("a", -1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void one_tenant_alone_can_hold_all() {
    assertThat(admission.tryAcquire("a", 100)).isNotNull();
  }

  @Test
  void a_tenant_holds_at_most_half_after_another_was_refused() {
    Lease flood = acquire("flood", 100);
    assertThat(admission.tryAcquire("calm", 10)).isNull();
    flood.close();
    acquire("flood", 50);
    assertThat(admission.tryAcquire("flood", 1)).isNull();
    acquire("calm", 10);
    clock.advance(2_001);
    assertThat(admission.tryAcquire("flood", 1)).isNotNull();
  }

  @Test
  void refusals_of_the_one_that_floods_keep_nobody_else_from_more_than_half() {
    Lease flood = acquire("flood", 100);
    assertThat(admission.tryAcquire("flood", 1)).isNull();
    flood.close();
    assertThat(admission.tryAcquire("calm", 60)).isNotNull();
  }

  @Test
  void refusals_of_its_own_do_not_hide_those_of_others() {
    Lease flood = acquire("flood", 40);
    Lease other = acquire("other", 60);
    assertThat(admission.tryAcquire("calm", 10)).isNull();
    assertThat(admission.tryAcquire("flood", 5)).isNull();
    other.close();
    assertThat(flood.tryGrow(20)).isFalse();
    assertThat(flood.tryGrow(10)).isTrue();
  }

  @Test
  void with_many_threads_the_bound_holds_and_all_comes_back() throws Exception {
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    Admission shared = new Admission(10_000);
    AtomicLong held = new AtomicLong();
    AtomicLong most = new AtomicLong();
    List<Future<?>> threads = new ArrayList<>();
    try (var executor = Executors.newFixedThreadPool(16)) {
      for (int t = 0; t < 16; t++) {
        Random random = new Random(seed + t);
        String tenant = "t" + t % 4;
        threads.add(
            executor.submit(() -> {
              List<Lease> leases = new ArrayList<>();
              for (int i = 0; i < 20_000; i++) {
                if (leases.size() > 20 || (!leases.isEmpty() && random.nextBoolean())) {
                  // Counted before it is given back, and after it was acquired, so that this
                  // count is never more than the real one.
                  SizedLease lease = (SizedLease) leases.removeLast();
                  held.addAndGet(-lease.bytes);
                  lease.close();
                } else {
                  int bytes = random.nextInt(500);
                  Lease lease = shared.tryAcquire(tenant, bytes);
                  if (lease != null) {
                    most.accumulateAndGet(held.addAndGet(bytes), Math::max);
                    leases.add(new SizedLease(lease, bytes));
                  }
                }
              }
              for (Lease lease : leases) {
                held.addAndGet(-((SizedLease) lease).bytes);
                lease.close();
              }
            }));
      }
    }
    for (Future<?> thread : threads) {
      thread.get();
    }
    assertThat(most.get()).isPositive().isLessThanOrEqualTo(10_000);
    assertThat(shared.heldBytes()).isZero();
  }

  private Lease acquire(String tenant, long bytes) {
    return Objects.requireNonNull(admission.tryAcquire(tenant, bytes));
  }

  private record SizedLease(Lease lease, int bytes) implements Lease {
    @Override
    public boolean tryGrow(long more) {
      return lease.tryGrow(more);
    }

    @Override
    public boolean couldGrow(long more) {
      return lease.couldGrow(more);
    }

    @Override
    public void close() {
      lease.close();
    }
  }
}
