output "role_name" {
  description = "Name of the role in every account, for `role_name` in kmswatch.yaml."
  value       = var.reader_role_name
}
