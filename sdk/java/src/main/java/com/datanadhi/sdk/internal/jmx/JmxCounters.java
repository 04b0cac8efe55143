package com.datanadhi.sdk.internal.jmx;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhiMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.ObjectName;

/** The counters of one client, registered at the platform MBean server. */
public final class JmxCounters implements DataNadhiMXBean, AutoCloseable {
  private final Supplier<Counters> counters;
  private Optional<ObjectName> name = Optional.empty();

  private JmxCounters(Supplier<Counters> counters) {
    this.counters = counters;
  }

  /**
   * Registers the counters under a name with the directory. If that name is taken, because the
   * process has several clients for the directory, {@code ,n=2} and so on is appended.
   */
  public static JmxCounters register(Path directory, Supplier<Counters> counters)
      throws JMException {
    JmxCounters registered = new JmxCounters(counters);
    String base =
        "com.datanadhi.sdk:type=DataNadhi,directory=" + ObjectName.quote(directory.toString());
    for (int n = 1; registered.name.isEmpty(); n++) {
      try {
        ObjectName candidate = new ObjectName(n == 1 ? base : base + ",n=" + n);
        ManagementFactory.getPlatformMBeanServer().registerMBean(registered, candidate);
        registered.name = Optional.of(candidate);
      } catch (InstanceAlreadyExistsException taken) {
        // By another client for the same directory; the next number is tried.
      }
    }
    return registered;
  }

  /** Removes the counters from the MBean server. */
  @Override
  public void close() throws JMException {
    if (name.isPresent()) {
      ManagementFactory.getPlatformMBeanServer().unregisterMBean(name.get());
    }
  }

  @Override
  public long getSubmitted() {
    return counters.get().submitted();
  }

  @Override
  public long getRefused() {
    return counters.get().refused();
  }

  @Override
  public long getDeliveredToMainServer() {
    return counters.get().deliveredToMainServer();
  }

  @Override
  public long getDeliveredToEchoPost() {
    return counters.get().deliveredToEchoPost();
  }

  @Override
  public long getDeliveredToFallback() {
    return counters.get().deliveredToFallback();
  }

  @Override
  public Map<String, Long> getDropped() {
    return counters.get().dropped();
  }

  @Override
  public long getFiltered() {
    return counters.get().filtered();
  }

  @Override
  public long getWithheld() {
    return counters.get().withheld();
  }

  @Override
  public long getLost() {
    return counters.get().lost();
  }

  @Override
  public long getReplacedValues() {
    return counters.get().replacedValues();
  }

  @Override
  public long getTruncated() {
    return counters.get().truncated();
  }

  @Override
  public long getRedelivered() {
    return counters.get().redelivered();
  }

  @Override
  public long getExpired() {
    return counters.get().expired();
  }

  @Override
  public long getQueueBytes() {
    return counters.get().queueBytes();
  }

  @Override
  public int getQueueDepth() {
    return counters.get().queueDepth();
  }

  @Override
  public String getEchoPostStatus() {
    return counters.get().echoPost().status().name();
  }

  @Override
  public String getEchoPostDetail() {
    return counters.get().echoPost().detail();
  }
}
