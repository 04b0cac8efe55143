/// Campaigns that attack the built program from outside, to show that no acknowledged record is
/// lost, reordered or silently dropped: `scripts/torture`, and a short run of each in the test
/// suite. Start reading at `Torture`, `DeliveryChecker` and `KillCampaign`.
@org.jspecify.annotations.NullMarked
package com.datanadhi.echopost.torture;
