package com.datanadhi.echopost.upstream;

import io.netty.util.NetUtil;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Parses IP addresses and ranges, without a name lookup.
final class IpAddresses {
  private IpAddresses() {}

  /// The bytes of the address `text` (4 for an IPv4 address mapped to IPv6), or null when `text` is
  /// a host name.
  static byte @Nullable [] literal(String text) {
    byte @Nullable [] address = NetUtil.createByteArrayFromIpAddressString(text);
    boolean mapped =
        address != null
            && address.length == 16
            && address[10] == -1
            && address[11] == -1
            && Arrays.equals(Arrays.copyOf(address, 10), new byte[10]);
    return mapped ? Arrays.copyOfRange(address, 12, 16) : address;
  }

  static boolean isLoopback(byte[] address) {
    byte[] six = new byte[16];
    six[15] = 1;
    return address.length == 4 ? address[0] == 127 : Arrays.equals(address, six);
  }

  /// Whether `address` is in `range`, in CIDR notation as 10.0.0.0/8; false when the range is
  /// malformed.
  static boolean inRange(String range, byte[] address) {
    int slash = range.indexOf('/');
    byte @Nullable [] base = literal(range.substring(0, slash));
    String digits = range.substring(slash + 1);
    if (base == null || base.length != address.length || !digits.matches("[0-9]{1,3}")) {
      return false;
    }
    int bits = Integer.parseInt(digits);
    for (int i = 0; i < address.length; i++, bits -= 8) {
      int mask = bits >= 8 ? 0xFF : bits <= 0 ? 0 : 0xFF << (8 - bits) & 0xFF;
      if ((base[i] & mask) != (address[i] & mask)) {
        return false;
      }
    }
    return bits <= 0;
  }
}
