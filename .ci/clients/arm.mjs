// The Azure SDK for JavaScript against the local Azure: reads, a conditional PATCH, an upgrade.
import assert from "node:assert/strict";
import { ComputeManagementClient } from "@azure/arm-compute";

export async function arm(demo) {
  const credential = { getToken: async () => ({ token: "not-a-secret", expiresOnTimestamp: Date.now() + 3600e3 }) };
  const client = new ComputeManagementClient(credential, demo.subscription, { endpoint: demo.azure_url, allowInsecureConnection: true });
  // The SDK never sends a bearer token over plain http, whatever allowInsecureConnection says. This
  // token is no secret and the server is on this machine: send it as an ordinary header.
  client.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  client.pipeline.addPolicy({
    name: "staticToken",
    async sendRequest(request, next) {
      request.headers.set("Authorization", `Bearer ${(await credential.getToken()).token}`);
      return next(request);
    },
  });
  const sets = client.virtualMachineScaleSets, vms = client.virtualMachineScaleSetVMs, group = "rg-demo", name = "myvmss";

  const names = [];
  for await (const s of sets.list(group)) names.push(s.name);
  assert(names.includes(name), `list: ${names}`);
  const before = await sets.get(group, name);
  const list = async () => { const all = []; for await (const v of vms.list(group, name, { expand: "instanceView" })) all.push(v); return all; };
  const started = await list();
  assert.equal(started.length, 20);
  assert(started.every((v) => v.instanceView.platformUpdateDomain >= 0));

  const patch = { virtualMachineProfile: { storageProfile: { imageReference: { ...before.virtualMachineProfile.storageProfile.imageReference, version: "4.0.20160229" } } } };
  await assert.rejects(sets.update(group, name, patch, { ifMatch: '"stale"' }), (e) => e.statusCode === 412);
  await sets.update(group, name, patch, { ifMatch: before.etag, updateIntervalInMs: 100 });
  assert.equal((await sets.get(group, name)).virtualMachineProfile.storageProfile.imageReference.version, "4.0.20160229");
  await assert.rejects(sets.updateInstances(group, name, { instanceIds: ["77"] }), (e) => /not an active/.test(e.message));
  await sets.updateInstances(group, name, { instanceIds: ["1", "6"] }, { updateIntervalInMs: 100 });
  const moved = (await list()).filter((v) => v.storageProfile.imageReference.exactVersion === "4.0.20160229").map((v) => v.instanceId);
  assert.deepEqual(moved.sort(), ["1", "6"]);
  await fetch(`${demo.azure_url}/_control/reset`, { method: "POST" });
  console.log("clients: @azure/arm-compute: list, get, conditional PATCH, 412, manualupgrade: ok");
}
