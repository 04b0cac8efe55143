package com.datanadhi.sdk.internal.http;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Ranges of addresses such as {@code 10.0.0.0/8} (RFC 4632). Thread-safe. */
final class AddressRange {
  private AddressRange() {}

  /** Whether {@code host} is an address, and no name, in the range. False for a malformed range. */
  static boolean contains(String range, String host) {
    int slash = range.indexOf('/');
    String bits = range.substring(slash + 1);
    if (!isAddress(host) || !isAddress(range.substring(0, slash)) || !bits.matches("[0-9]{1,3}")) {
      return false;
    }
    try {
      byte[] first = InetAddress.getByName(range.substring(0, slash)).getAddress();
      byte[] address = InetAddress.getByName(host).getAddress();
      int hostBits = 8 * first.length - Integer.parseInt(bits);
      return first.length == address.length
          && hostBits >= 0
          && new BigInteger(first).xor(new BigInteger(address)).shiftRight(hostBits).signum() == 0;
    } catch (UnknownHostException malformed) {
      return false;
    }
  }

  /** Only for such a text does the JDK ask no name server. */
  private static boolean isAddress(String text) {
    return text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}") || text.matches("[0-9a-f:.]*:[0-9a-f:.]*");
  }
}
