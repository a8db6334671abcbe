/** To the template process. */
export type TemplateRequest =
  | { readonly kind: 'preload'; readonly modules: readonly string[] }
  | { readonly kind: 'fork'; readonly id: number; readonly address: string; readonly token: string };

/** From it. `status` is as waitpid has it. */
export type TemplateReport =
  | { readonly kind: 'forked'; readonly id: number; readonly pid: number }
  | { readonly kind: 'exited'; readonly id: number; readonly status: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
